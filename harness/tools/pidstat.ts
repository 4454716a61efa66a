import type { PidstatTotals, ToolWindow } from '../types.js'
import { INTERVAL_SECONDS, type Report, type Stamp, type Tool } from './contract.js'
import { countOf, intervalsWithin, type Covered } from './intervals.js'
import { linesOf, rowOf, type Row } from './table.js'

/** sysstat. With threads (-t): the row of a process has the switches of its first thread only. */
export const pidstat: Tool = {
  name: 'pidstat',
  program: 'pidstat',
  args: pid => ['-u', '-r', '-w', '-d', '-t', '-h', '-H', '-p', String(pid), String(INTERVAL_SECONDS)]
}

/** Rates per second; absent: a column that this version lacks, or a value that the kernel keeps from it (-1). */
export interface PidstatReport {
  readonly cpuPercent: number | undefined
  readonly minorFaults: number | undefined
  readonly majorFaults: number | undefined
  readonly readKiB: number | undefined
  /** Sums over the rows of the threads. */
  readonly voluntarySwitches: number | undefined
  readonly involuntarySwitches: number | undefined
  readonly waitPercent: number | undefined
  /** By thread id. */
  readonly threads: ReadonlyMap<string, { readonly cpuPercent: number, readonly waitPercent: number }>
}

/** Of the CPU time of the process: a thread that used less is not told of by itself. */
const SHARE_THAT_COUNTS = 0.01

/** A report without a row of the process (it had ended) is none. */
export function parsePidstat (text: string): Report<PidstatReport>[] {
  const reports: Report<PidstatReport>[] = []
  let header: string[] = []
  let threadsBefore = 0
  let open: { offset: number, process: Row, threads: Row[] } | undefined
  function close (): void {
    if (open === undefined) return
    threadsBefore = open.threads.length
    reports.push({ offset: open.offset, values: valuesOf(open.process, open.threads) })
    open = undefined
  }
  for (const { line, offset } of linesOf(text)) {
    if (line.startsWith('#')) {
      close()
      header = line.slice(1).trim().split(/\s+/)
    } else if (/^\d/.test(line) && header.length > 0) {
      const row = rowOf(header, line)
      if (row.text('TID') === '-') {
        close()
        open = { offset, process: row, threads: [] }
      } else {
        open?.threads.push(row)
      }
    } else {
      close()
    }
  }
  // Nothing follows the last report; with fewer threads than the one before it, it may have been cut.
  if (open !== undefined && open.threads.length >= threadsBefore) close()
  return reports
}

function valuesOf (process: Row, threads: readonly Row[]): PidstatReport {
  const sum = (name: string): number | undefined => threads.reduce<number | undefined>((sum, row) => plus(sum, row.number(name)), 0)
  const readKiB = process.number('kB_rd/s')
  return {
    cpuPercent: plus(process.number('%usr'), process.number('%system')),
    minorFaults: process.number('minflt/s'),
    majorFaults: process.number('majflt/s'),
    readKiB: readKiB === undefined || readKiB < 0 ? undefined : readKiB,
    voluntarySwitches: sum('cswch/s'),
    involuntarySwitches: sum('nvcswch/s'),
    waitPercent: sum('%wait'),
    threads: new Map(threads.flatMap(row => {
      const [tid, cpuPercent, waitPercent] = [row.text('TID'), plus(row.number('%usr'), row.number('%system')), row.number('%wait')]
      return tid === undefined || cpuPercent === undefined || waitPercent === undefined ? [] : [[tid, { cpuPercent, waitPercent }] as const]
    }))
  }
}

function plus (a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

export function pidstatTotals (text: string, stamps: readonly Stamp[], window: ToolWindow): PidstatTotals | undefined {
  const covered = intervalsWithin(parsePidstat(text), stamps, window)
  if (covered === undefined) return undefined
  const usec = (percent: (report: PidstatReport) => number | undefined): number | undefined => rounded(countOf(covered, report => times(percent(report), 10_000)))
  const count = (rate: (report: PidstatReport) => number | undefined): number | undefined => rounded(countOf(covered, rate))
  const cpuUsec = usec(report => report.cpuPercent)
  const [voluntarySwitches, involuntarySwitches] = [count(report => report.voluntarySwitches), count(report => report.involuntarySwitches)]
  const [minorFaults, majorFaults] = [count(report => report.minorFaults), count(report => report.majorFaults)]
  if (cpuUsec === undefined || voluntarySwitches === undefined || involuntarySwitches === undefined || minorFaults === undefined || majorFaults === undefined) return undefined
  const [readBytes, waitUsec] = [count(report => times(report.readKiB, 1024)), usec(report => report.waitPercent)]
  const { fromMs, toMs } = covered
  return {
    fromMs,
    toMs,
    cpuUsec,
    voluntarySwitches,
    involuntarySwitches,
    minorFaults,
    majorFaults,
    ...(readBytes === undefined ? {} : { readBytes }),
    ...(waitUsec === undefined ? {} : { waitUsec, threads: busiest(covered, cpuUsec) })
  }
}

/** A thread that was not there yet, or not any more, used nothing. */
function busiest (covered: Covered<PidstatReport>, ofAllUsec: number): Array<{ readonly cpuUsec: number, readonly waitUsec: number }> {
  const ids = new Set(covered.intervals.flatMap(({ values: { threads } }) => [...threads.keys()]))
  const usec = (tid: string, of: 'cpuPercent' | 'waitPercent'): number => Math.round(countOf(covered, ({ threads }) => 10_000 * (threads.get(tid)?.[of] ?? 0)) ?? 0)
  return [...ids].map(tid => ({ cpuUsec: usec(tid, 'cpuPercent'), waitUsec: usec(tid, 'waitPercent') }))
    .filter(({ cpuUsec }) => cpuUsec > 0 && cpuUsec >= SHARE_THAT_COUNTS * ofAllUsec)
    .sort((a, b) => b.cpuUsec - a.cpuUsec)
}

function times (value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor
}

function rounded (value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value)
}
