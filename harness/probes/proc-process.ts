import { numberAfter, numberAt } from './keyed.js'
import { readText } from './read-text.js'

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
  const close = text.lastIndexOf(')')
  if (close === -1) return undefined
  const fields = text.slice(close + 2).split(' ', 18)
  const field = (index: number): number => Number(fields[index] ?? NaN)
  const stat = {
    minorFaults: field(7),
    majorFaults: field(9),
    cpuUsec: (field(11) + field(12)) * USEC_PER_TICK,
    childrenCpuUsec: (field(13) + field(14)) * USEC_PER_TICK,
    threads: field(17)
  }
  return Number.isFinite(stat.minorFaults + stat.majorFaults + stat.cpuUsec + stat.childrenCpuUsec + stat.threads) ? stat : undefined
}

/** CPU time of a process and all its threads so far; undefined when it is gone. */
export function cpuUsecOf (pid: number): number | undefined {
  return parseProcStat(readText(`/proc/${pid}/stat`) ?? '')?.cpuUsec
}

export interface Memory {
  readonly rssBytes: number
  readonly rssAnonBytes?: number
  readonly rssFileBytes?: number
  readonly lockedBytes?: number
  readonly swapBytes?: number
}

/** /proc/PID/status. Undefined of a zombie, which has no memory any more. RssAnon and RssFile: Linux 4.5 and later. */
export function parseMemory (text: string): Memory | undefined {
  const rssBytes = bytesAfter(text, '\nVmRSS:')
  if (rssBytes === undefined) return undefined
  // One shape of object for each kernel: spreading optional parts costs ten times as much.
  const memory: { -readonly [K in keyof Memory]: Memory[K] } = { rssBytes }
  const [rssAnonBytes, rssFileBytes] = [bytesAfter(text, '\nRssAnon:'), bytesAfter(text, '\nRssFile:')]
  const [lockedBytes, swapBytes] = [bytesAfter(text, '\nVmLck:'), bytesAfter(text, '\nVmSwap:')]
  if (rssAnonBytes !== undefined) memory.rssAnonBytes = rssAnonBytes
  if (rssFileBytes !== undefined) memory.rssFileBytes = rssFileBytes
  if (lockedBytes !== undefined) memory.lockedBytes = lockedBytes
  if (swapBytes !== undefined) memory.swapBytes = swapBytes
  return memory
}

export interface Switches {
  readonly voluntary: number
  readonly involuntary: number
}

/** The two lines are at the end of a thread's /proc/PID/task/TID/status (after them: features of x86 threads). */
export const SWITCHES_IN_LAST_BYTES = 512

/** One thread's /proc/PID/task/TID/status, or its end. */
export function parseSwitches (text: string): Switches {
  return { voluntary: numberAfter(text, '\nvoluntary_ctxt_switches:') ?? 0, involuntary: numberAfter(text, '\nnonvoluntary_ctxt_switches:') ?? 0 }
}

export interface Schedule {
  readonly onCpuNs: number
  readonly runQueueWaitNs: number
}

/** One thread's schedstat: time on a CPU, time spent runnable on a run queue, and the number of time slices, which nobody needs here. */
export function parseSchedule (text: string): Schedule | undefined {
  const onCpuNs = numberAt(text, 0)
  const runQueueWaitNs = numberAt(text, text.indexOf(' '))
  return Number.isFinite(onCpuNs + runQueueWaitNs) ? { onCpuNs, runQueueWaitNs } : undefined
}

/** Bytes that the storage was asked for; page cache hits are not in it. */
export function parseReadBytes (text: string): number | undefined {
  return numberAfter(text, '\nread_bytes:')
}

/** smaps_rollup. */
export function parsePssBytes (text: string): number | undefined {
  return bytesAfter(text, '\nPss:')
}

function bytesAfter (text: string, label: string): number | undefined {
  const kilobytes = numberAfter(text, label)
  return kilobytes === undefined ? undefined : kilobytes * 1024
}
