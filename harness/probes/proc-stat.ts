import type { OsSample } from '../types.js'
import { USEC_PER_TICK } from './proc-process.js'
import { numberAfter, numbersAt } from './keyed.js'
import { keptFile } from './read-text.js'

const WHOLE_MACHINE = 'cpu '

/**
 * /proc/stat of the whole machine. Idle includes iowait (a kind of idling that the kernel itself calls unreliable), busy is user,
 * nice, system, irq and softirq; guest time is already in user. Steal is what a hypervisor took.
 */
export function parseProcStatHost (text: string): OsSample['host'] {
  const contextSwitches = numberAfter(text, '\nctxt ')
  if (!text.startsWith(WHOLE_MACHINE) || contextSwitches === undefined) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, ...later] = numbersAt(text, WHOLE_MACHINE.length, 8)
  // An old kernel's line ends sooner.
  const [iowait = 0, irq = 0, softirq = 0, steal = 0] = later.map(ticks => Number.isNaN(ticks) ? 0 : ticks)
  return {
    stealUsec: steal * USEC_PER_TICK,
    idleUsec: (idle + iowait) * USEC_PER_TICK,
    busyUsec: (user + nice + system + irq + softirq) * USEC_PER_TICK,
    contextSwitches
  }
}

export function watchHost (): () => OsSample['host'] {
  const file = keptFile('/proc/stat')
  return () => parseProcStatHost(file.read() ?? '')
}
