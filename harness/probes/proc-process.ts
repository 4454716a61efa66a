import { readdirSync } from 'node:fs'
import type { OsSample } from '../types.js'
import { parseKeyed, readText } from './read-text.js'

/** USER_HZ, 100 on every Linux: a tick of utime and stime is 10 ms. */
export const USEC_PER_TICK = 10_000

export interface ProcStat {
  readonly minorFaults: number
  readonly majorFaults: number
  readonly cpuUsec: number
  /** CPU time of children that ended and were waited for. */
  readonly childrenCpuUsec: number
  readonly threads: number
}

/** /proc/PID/stat (proc(5)). The second field is the program's name in brackets and may hold blanks, brackets and line ends. */
export function parseProcStat (text: string): ProcStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).trim().split(' ').map(Number)
  const [minorFaults, majorFaults] = [fields[7], fields[9]]
  const [utime, stime, cutime, cstime, threads] = [fields[11], fields[12], fields[13], fields[14], fields[17]]
  const values = [minorFaults, majorFaults, utime, stime, cutime, cstime, threads]
  if (!text.includes(')') || !values.every(Number.isFinite)) return undefined
  const sum = (a = NaN, b = NaN): number => (a + b) * USEC_PER_TICK
  return { minorFaults: minorFaults ?? NaN, majorFaults: majorFaults ?? NaN, cpuUsec: sum(utime, stime), childrenCpuUsec: sum(cutime, cstime), threads: threads ?? NaN }
}

/** One thread's /proc/PID/task/TID/status. */
export function parseSwitches (text: string): { readonly voluntary: number, readonly involuntary: number } {
  return { voluntary: numberAfter(text, '\nvoluntary_ctxt_switches:') ?? 0, involuntary: numberAfter(text, '\nnonvoluntary_ctxt_switches:') ?? 0 }
}

/** Second field of schedstat: time spent runnable on a run queue, nanoseconds. */
export function parseRunQueueWaitNs (text: string): number | undefined {
  const value = Number(text.split(' ')[1])
  return text.trim() !== '' && Number.isFinite(value) ? value : undefined
}

/** Bytes that the storage was asked for; page cache hits are not in it. */
export function parseReadBytes (text: string): number | undefined {
  return parseKeyed(text).get('read_bytes')
}

/** smaps_rollup. */
export function parsePssBytes (text: string): number | undefined {
  const kilobytes = numberAfter(text, '\nPss:')
  return kilobytes === undefined ? undefined : kilobytes * 1024
}

/**
 * A process over all its threads; undefined when it is gone. Switches and run-queue wait are sums over the threads that live now:
 * a thread that ends takes its share away (the kernel keeps no total of them). `withPss` walks the page tables: 1 Hz at most.
 */
export function readProcess (pid: number, { withPss }: { readonly withPss: boolean }): OsSample['process'] {
  const folder = `/proc/${pid}`
  const stat = parseProcStat(readText(`${folder}/stat`) ?? '')
  const rss = numberAfter(readText(`${folder}/status`) ?? '', '\nVmRSS:')
  // A zombie has a stat but no memory.
  if (stat === undefined || rss === undefined) return undefined
  let voluntarySwitches = 0
  let involuntarySwitches = 0
  let runQueueWaitNs: number | undefined
  for (const tid of threadsOf(folder)) {
    const switches = parseSwitches(readText(`${folder}/task/${tid}/status`) ?? '')
    voluntarySwitches += switches.voluntary
    involuntarySwitches += switches.involuntary
    const waitNs = parseRunQueueWaitNs(readText(`${folder}/task/${tid}/schedstat`) ?? '')
    if (waitNs !== undefined) runQueueWaitNs = (runQueueWaitNs ?? 0) + waitNs
  }
  const readBytes = parseReadBytes(readText(`${folder}/io`) ?? '')
  const pssBytes = withPss ? parsePssBytes(readText(`${folder}/smaps_rollup`) ?? '') : undefined
  return {
    rssBytes: rss * 1024,
    minorFaults: stat.minorFaults,
    majorFaults: stat.majorFaults,
    voluntarySwitches,
    involuntarySwitches,
    cpuUsec: stat.cpuUsec,
    threads: stat.threads,
    ...(runQueueWaitNs === undefined ? {} : { runQueueWaitNs }),
    ...(readBytes === undefined ? {} : { readBytes }),
    ...(pssBytes === undefined ? {} : { pssBytes })
  }
}

function threadsOf (folder: string): string[] {
  try {
    return readdirSync(`${folder}/task`)
  } catch {
    return []
  }
}

function numberAfter (text: string, label: string): number | undefined {
  const at = text.indexOf(label)
  if (at === -1) return undefined
  const value = Number.parseInt(text.slice(at + label.length, at + label.length + 40), 10)
  return Number.isFinite(value) ? value : undefined
}
