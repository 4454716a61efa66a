import type { ToolWindow, VmstatTotals } from '../types.js'
import { INTERVAL_SECONDS, type Report, type Stamp, type Tool } from './contract.js'
import { intervalsWithin } from './intervals.js'
import { linesOf, rowOf } from './table.js'

/** procps. -n: one header. Its first report is since boot. */
export const vmstat: Tool = {
  name: 'vmstat',
  program: 'vmstat',
  args: () => ['-n', String(INTERVAL_SECONDS)]
}

export interface VmstatReport {
  readonly contextSwitches: number
  readonly swapInKiB: number
  readonly swapOutKiB: number
  readonly runnable: number
  readonly stealPercent: number
}

/** Counts of an interval: vmstat divides by the interval that it was asked for, not by the one it got. The first report is left out. */
export function parseVmstat (text: string): Report<VmstatReport>[] {
  const reports: Report<VmstatReport>[] = []
  let header: string[] | undefined
  for (const { line, offset } of linesOf(text)) {
    if (/^\s*r\s+b\s/.test(line)) header = line.trim().split(/\s+/)
    if (header === undefined || !/^\s*\d/.test(line)) continue
    const row = rowOf(header, line)
    const perInterval = (name: string): number => (row.number(name) ?? 0) * INTERVAL_SECONDS
    reports.push({
      offset,
      values: { contextSwitches: perInterval('cs'), swapInKiB: perInterval('si'), swapOutKiB: perInterval('so'), runnable: row.number('r') ?? 0, stealPercent: row.number('st') ?? 0 }
    })
  }
  return reports.slice(1)
}

export function vmstatTotals (text: string, stamps: readonly Stamp[], window: ToolWindow): VmstatTotals | undefined {
  const covered = intervalsWithin(parseVmstat(text), stamps, window)
  if (covered === undefined) return undefined
  const { intervals, fromMs, toMs } = covered
  const sum = (pick: (report: VmstatReport) => number): number => intervals.reduce((sum, { values }) => sum + pick(values), 0)
  return {
    fromMs,
    toMs,
    contextSwitches: sum(report => report.contextSwitches),
    swapInBytes: sum(report => report.swapInKiB) * 1024,
    swapOutBytes: sum(report => report.swapOutKiB) * 1024,
    runnable: sum(report => report.runnable) / intervals.length,
    stealShare: sum(report => report.stealPercent) / 100 / intervals.length
  }
}
