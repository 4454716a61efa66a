import type { IostatTotals, ToolWindow } from '../types.js'
import { isDisk } from '../probes/diskstats.js'
import { INTERVAL_SECONDS, type Report, type Stamp, type Tool } from './contract.js'
import { countOf, intervalsWithin } from './intervals.js'
import { linesOf, rowOf } from './table.js'

/** sysstat. -y leaves out the first report, which is since boot; without -p there are whole disks only. */
export const iostat: Tool = {
  name: 'iostat',
  program: 'iostat',
  args: () => ['-x', '-y', '-d', '-k', String(INTERVAL_SECONDS)]
}

/** Rates per second, all disks together. */
export interface IostatReport {
  readonly reads: number
  readonly readKiB: number
  readonly writtenKiB: number
  /** Reads × their mean time: milliseconds per second. */
  readonly readWaitMs: number
}

/** A report is a header and the lines up to a blank one; one that was cut is left out. */
export function parseIostat (text: string): Report<IostatReport>[] {
  const reports: Report<IostatReport>[] = []
  let header: string[] | undefined
  let open: { offset: number, values: IostatReport } | undefined
  for (const { line, offset } of linesOf(text)) {
    if (/^Device:?\s/.test(line)) {
      header = ['Device', ...line.trim().split(/\s+/).slice(1)]
      open = { offset, values: { reads: 0, readKiB: 0, writtenKiB: 0, readWaitMs: 0 } }
    } else if (line.trim() === '') {
      if (open !== undefined) reports.push(open)
      open = undefined
    } else if (open !== undefined && header !== undefined) {
      open = { offset: open.offset, values: withDisk(open.values, header, line) }
    }
  }
  return reports
}

function withDisk (sums: IostatReport, header: readonly string[], line: string): IostatReport {
  const row = rowOf(header, line)
  if (!isDisk(row.text('Device') ?? '')) return sums
  const reads = row.number('r/s') ?? 0
  return {
    reads: sums.reads + reads,
    readKiB: sums.readKiB + (row.number('rkB/s') ?? 0),
    writtenKiB: sums.writtenKiB + (row.number('wkB/s') ?? 0),
    readWaitMs: sums.readWaitMs + reads * (row.number('r_await') ?? 0)
  }
}

export function iostatTotals (text: string, stamps: readonly Stamp[], window: ToolWindow): IostatTotals | undefined {
  const covered = intervalsWithin(parseIostat(text), stamps, window)
  if (covered === undefined) return undefined
  const count = (rate: (report: IostatReport) => number): number => countOf(covered, rate) ?? 0
  const [reads, waitMs] = [count(report => report.reads), count(report => report.readWaitMs)]
  const { fromMs, toMs } = covered
  return {
    fromMs,
    toMs,
    reads: Math.round(reads),
    readBytes: Math.round(count(report => report.readKiB) * 1024),
    writtenBytes: Math.round(count(report => report.writtenKiB) * 1024),
    ...(Math.round(reads) > 0 ? { readAwaitMs: waitMs / reads } : {})
  }
}
