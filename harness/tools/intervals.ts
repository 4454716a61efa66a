import type { ToolWindow } from '../types.js'
import type { Report, Stamp } from './contract.js'

/** What a report tells of: the time since the one before it. */
export interface Interval<V> extends ToolWindow {
  readonly values: V
}

/**
 * The intervals that lie wholly inside `window`. A report is dated by when its first byte came, because the tools' own stamps are whole seconds;
 * the first report has no beginning and tells of none. Undefined when there is none.
 */
export function intervalsWithin<V> (reports: readonly Report<V>[], stamps: readonly Stamp[], window: ToolWindow): Covered<V> | undefined {
  const inOrder = [...stamps].sort((a, b) => a.bytes - b.bytes)
  const dated = reports.flatMap(({ offset, values }) => {
    const atMs = inOrder.find(stamp => stamp.bytes > offset)?.atMs
    return atMs === undefined ? [] : [{ atMs, values }]
  })
  const intervals = dated.flatMap(({ atMs, values }, index) => {
    const fromMs = dated[index - 1]?.atMs
    return fromMs === undefined || fromMs < window.fromMs || atMs > window.toMs ? [] : [{ fromMs, toMs: atMs, values }]
  })
  const [first, last] = [intervals[0], intervals.at(-1)]
  return first === undefined || last === undefined || last.toMs <= first.fromMs ? undefined : { intervals, fromMs: first.fromMs, toMs: last.toMs }
}

export interface Covered<V> extends ToolWindow {
  readonly intervals: readonly Interval<V>[]
}

/** A rate per second, summed to a count over the intervals; undefined when an interval has none. */
export function countOf<V> ({ intervals }: Covered<V>, perSecond: (values: V) => number | undefined): number | undefined {
  return sumOf(intervals, ({ fromMs, toMs, values }) => {
    const rate = perSecond(values)
    return rate === undefined ? undefined : rate * (toMs - fromMs) / 1000
  })
}

export function sumOf<T> (list: readonly T[], pick: (item: T) => number | undefined): number | undefined {
  let sum = 0
  for (const item of list) {
    const value = pick(item)
    if (value === undefined) return undefined
    sum += value
  }
  return sum
}
