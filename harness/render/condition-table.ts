/** One row for each condition of a run of streams: what readers of a stream saw, and the counters of the operating system beside it. */
import { formatCount, formatNumber, formatPercent, MISSING } from './format.js'
import { findCell } from './lookup.js'
import type { Population, Result, StreamsResult } from '../types.js'

export interface ConditionColumn {
  readonly title: string
  /** For tables of 80 columns; at most 8. */
  readonly short: string
  readonly text: (condition: string) => string
  /** n, and the 95 % interval of a percentile, or the least and most block of a mean, where there is one. */
  readonly detail?: (condition: string) => string | undefined
}

interface Figure {
  readonly title: string
  readonly short: string
  readonly metric: string
  readonly population: Population
  readonly statistic: 'p50' | 'p95' | 'p99' | 'mean'
  readonly format: (value: number | null | undefined) => string
}

const GAPS: readonly Figure[] = [
  { title: 'gap p50 ms', short: 'gap p50', metric: 'itl', population: 'answered', statistic: 'p50', format: formatNumber },
  { title: 'gap p95 ms', short: 'p95', metric: 'itl', population: 'answered', statistic: 'p95', format: formatNumber },
  { title: 'gap p99 ms', short: 'p99 ms', metric: 'itl', population: 'answered', statistic: 'p99', format: formatNumber },
  { title: 'tokens/s', short: 'tokens/s', metric: 'tokens-per-second', population: 'block', statistic: 'mean', format: formatNumber }
]

const inMegabytes = (bytes: number | null | undefined): string => bytes === null || bytes === undefined ? MISSING : formatNumber(bytes / 1e6)

/** Only those that at least one condition moved by more than `from` (0 unless told); with an `outcome` only in a run that is about it. */
const COUNTED: ReadonlyArray<Figure & { readonly from?: number, readonly outcome?: string }> = [
  { title: 'periods throttled', short: 'throttle', metric: 'throttled-periods', population: 'block', statistic: 'mean', format: formatPercent },
  { title: 'OOM kills', short: 'OOM', metric: 'oom-kills', population: 'block', statistic: 'mean', format: formatNumber },
  { title: 'refaulted pages', short: 'refaults', metric: 'refaulted-pages', population: 'block', statistic: 'mean', format: formatNumber },
  { title: 'read MB', short: 'read MB', metric: 'read-bytes', population: 'block', statistic: 'mean', format: inMegabytes, from: 1e6 },
  { title: 'TTFT ms', short: 'TTFT', metric: 'ttft', population: 'answered', statistic: 'mean', format: formatNumber },
  { title: 'start to first token ms', short: 'start ms', metric: 'start-to-first-token', population: 'block', statistic: 'mean', format: formatNumber },
  { title: 'latency ms', short: 'latency', metric: 'request-latency', population: 'answered', statistic: 'mean', format: formatNumber, outcome: 'request-latency-p50' },
  { title: 'tokens per decode call', short: 'per call', metric: 'tokens-per-decode', population: 'block', statistic: 'mean', format: formatNumber, from: 1.01 },
  { title: 'throttled ms/s', short: 'ms/s', metric: 'throttled-time', population: 'block', statistic: 'mean', format: formatNumber },
  { title: 'CPUs used', short: 'CPUs', metric: 'cpus-used', population: 'block', statistic: 'mean', format: formatNumber }
]

const valueOf = (result: StreamsResult, { metric, population, statistic }: Figure, condition: string) => findCell(result, metric, condition, population)?.[statistic]

function columnOf (result: StreamsResult, figure: Figure): ConditionColumn {
  return { title: figure.title, short: figure.short, text: (condition) => figure.format(valueOf(result, figure, condition)), detail: (condition) => detailOf(result, figure, condition) }
}

function detailOf (result: StreamsResult, { metric, population, statistic, format }: Figure, condition: string): string | undefined {
  const cell = findCell(result, metric, condition, population)
  if (cell === undefined || (cell[statistic] ?? null) === null) return undefined
  const interval = statistic === 'mean' ? cell.range : cell.ci95?.[statistic]
  return [...(interval === undefined ? [] : [interval.map(format).join('–')]), `n ${formatCount(cell.n)}`].join(', ')
}

/** What readers of the streams saw; a percentile that no condition has enough gaps for has no column. */
export function gapColumns (result: StreamsResult): ConditionColumn[] {
  return GAPS.filter((figure) => figure.statistic === 'p50' || result.conditions.some(({ id }) => (valueOf(result, figure, id) ?? null) !== null)).map((figure) => columnOf(result, figure))
}

/** Failed calls and counters, in the order of their weight. */
export function counterColumns (result: StreamsResult): ConditionColumn[] {
  const moved = COUNTED.filter(({ outcome }) => outcome === undefined || result.outcomes.some(({ metric }) => metric === outcome)).filter((figure) => result.conditions.some(({ id }) => (valueOf(result, figure, id) ?? 0) > (figure.from ?? 0)))
  const failed: ConditionColumn = { title: 'calls failed', short: 'failed', text: (condition) => formatCount(failedCalls(result, condition)) }
  const anyFailed = result.conditions.some(({ id }) => failedCalls(result, id) > 0)
  return [...(anyFailed ? [failed] : []), ...moved.map((figure) => columnOf(result, figure))]
}

/** Columns in the order of their weight: a narrow table takes the first ones. */
export function conditionColumns (result: StreamsResult): ConditionColumn[] {
  return [...gapColumns(result), ...counterColumns(result)]
}

function failedCalls ({ counts }: Result, condition: string): number {
  return counts.filter((count) => count.condition === condition && count.outcome !== 'answered').reduce((sum, count) => sum + count.n, 0)
}

/** Names of all doses, in the order in which they first appear. */
export function factorNames ({ conditions }: Pick<Result, 'conditions'>): string[] {
  return [...new Set(conditions.flatMap(({ factors }) => Object.keys(factors)))]
}

export function factorText (value: number | string | undefined): string {
  return value === undefined ? MISSING : typeof value === 'number' ? formatNumber(value) : value
}
