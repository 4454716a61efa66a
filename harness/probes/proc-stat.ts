import type { OsSample } from '../types.js'
import { USEC_PER_TICK } from './proc-process.js'
import { numberAfter } from './keyed.js'
import { keptFile } from './read-text.js'

const WHOLE_MACHINE = 'cpu '

/**
 * /proc/stat of the whole machine. Idle includes iowait (a kind of idling that the kernel itself calls unreliable), busy is user,
 * nice, system, irq and softirq; guest time is already in user. Steal is what a hypervisor took.
 */
export function parseProcStatHost (text: string): OsSample['host'] {
  const contextSwitches = numberAfter(text, '\nctxt ')
  if (!text.startsWith(WHOLE_MACHINE) || contextSwitches === undefined) return undefined
  const ticks = text.slice(WHOLE_MACHINE.length, text.indexOf('\n')).trim().split(' ').map(Number)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks
  return {
    stealUsec: steal * USEC_PER_TICK,
    idleUsec: (idle + iowait) * USEC_PER_TICK,
    busyUsec: (user + nice + system + irq + softirq) * USEC_PER_TICK,
    contextSwitches
  }
}

const file = keptFile('/proc/stat')

export function readHost (): OsSample['host'] {
  return parseProcStatHost(file.read() ?? '')
}
