import { readText } from '../probes/read-text.js'
import type { PerfTotals, ToolWindow } from '../types.js'
import { INTERVAL_SECONDS, type Report, type Stamp, type Tool } from './contract.js'
import { intervalsWithin, sumOf } from './intervals.js'
import { linesOf } from './table.js'

const EVENTS = ['context-switches', 'cpu-migrations', 'minor-faults', 'major-faults', 'task-clock'] as const

type Event = typeof EVENTS[number]

/** linux-perf. Software events only, which every kernel and VM counts; -p follows all threads, also those that begin later. */
export const perf: Tool = {
  name: 'perf',
  program: 'perf',
  args: pid => ['stat', '-x', ',', '-I', String(INTERVAL_SECONDS * 1000), '--log-fd', '1', '-e', EVENTS.join(','), '-p', String(pid)],
  refused: () => perfRefused(Number(readText('/proc/sys/kernel/perf_event_paranoid') ?? NaN), process.geteuid?.() === 0)
}

/** Above 1 an ordinary user's perf counts in user space only, where no context switch happens: 0, as if there were none. */
export function perfRefused (paranoid: number, isRoot: boolean): string | undefined {
  return isRoot || !(paranoid > 1) ? undefined : `kernel.perf_event_paranoid is ${paranoid}, above 1: sudo sysctl kernel.perf_event_paranoid=1`
}

/** Counts of an interval (task-clock: milliseconds). Absent: not supported here, or counted in user space only. */
export type PerfReport = Readonly<Partial<Record<Event, number>>>

/** `-x ,` output: seconds, value, unit, event, … with a line for each event. A process that did not run in the interval is `<not counted>`: 0. */
export function parsePerf (text: string): Report<PerfReport>[] {
  const reports: Array<{ offset: number, seconds: string, values: Partial<Record<Event, number>> }> = []
  for (const { line, offset } of linesOf(text)) {
    const [seconds = '', value = '', , event = ''] = line.trim().split(',')
    if (!/^\d+\.\d+$/.test(seconds)) continue
    if (reports.at(-1)?.seconds !== seconds) reports.push({ offset, seconds, values: {} })
    const known = EVENTS.find(each => each === event)
    const count = value === '<not counted>' ? 0 : Number(value === '' ? NaN : value)
    const report = reports.at(-1)
    if (known !== undefined && Number.isFinite(count) && report !== undefined) report.values[known] = count
  }
  // The last report may have been cut between two events.
  const eventsOf = ({ values }: { readonly values: PerfReport } = { values: {} }): number => Object.keys(values).length
  if (eventsOf(reports.at(-1)) < eventsOf(reports[0])) reports.pop()
  return reports.map(({ offset, values }) => ({ offset, values }))
}

/** Undefined also when one of the events is missing. */
export function perfTotals (text: string, stamps: readonly Stamp[], window: ToolWindow): PerfTotals | undefined {
  const covered = intervalsWithin(parsePerf(text), stamps, window)
  if (covered === undefined) return undefined
  const sum = (event: Event): number | undefined => sumOf(covered.intervals, ({ values }) => values[event])
  const [contextSwitches, cpuMigrations, minorFaults, majorFaults, clockMs] = EVENTS.map(sum)
  if (contextSwitches === undefined || cpuMigrations === undefined || minorFaults === undefined || majorFaults === undefined || clockMs === undefined) return undefined
  const { fromMs, toMs } = covered
  return { fromMs, toMs, contextSwitches, cpuMigrations, minorFaults, majorFaults, cpuUsec: Math.round(clockMs * 1000) }
}
