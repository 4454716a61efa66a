import type { OsSample } from '../types.js'
import { USEC_PER_TICK } from './proc-process.js'
import { readKept } from './read-text.js'

/**
 * /proc/stat of the whole machine. Idle includes iowait (a kind of idling that the kernel itself calls unreliable), busy is user,
 * nice, system, irq and softirq; guest time is already in user. Steal is what a hypervisor took.
 */
export function parseProcStatHost (text: string): OsSample['host'] {
  const cpu = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number)
  const contextSwitches = /^ctxt (\d+)$/m.exec(text)?.[1]
  if (cpu === undefined || contextSwitches === undefined) return undefined
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = cpu
  return {
    stealUsec: steal * USEC_PER_TICK,
    idleUsec: (idle + iowait) * USEC_PER_TICK,
    busyUsec: (user + nice + system + irq + softirq) * USEC_PER_TICK,
    contextSwitches: Number(contextSwitches)
  }
}

export function readHost (): OsSample['host'] {
  return parseProcStatHost(readKept('/proc/stat') ?? '')
}
