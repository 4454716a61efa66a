import type { Cell, Population } from '../types.js'
import { blockBootstrap } from '../stats/bootstrap.js'
import { effectiveN } from '../stats/effective.js'
import { percentileNames, percentiles, quantileOf, type PercentileName } from '../stats/percentile.js'

/** A figure of each condition, made of samples of its blocks. */
export interface Measure<V> {
  readonly metric: string
  readonly unit: string
  readonly population: Population
  /** Samples of one block in order of intended time; +Infinity = worse than any. */
  readonly samples: (view: V) => readonly number[]
  /**
   * What the floors of the percentiles count. `independent` (default): samples reduced for autocorrelation, as waits in one queue are. `all`: gaps
   * of a stream, which are wanted as they were and not as a sample of other gaps; the interval over blocks says how far they repeat.
   */
  readonly floorsOn?: 'independent' | 'all'
}

/** One number a block; a block that has none is left out. */
export function blockMeasure<V> (metric: string, unit: string, value: (view: V) => number | null | undefined): Measure<V> {
  return { metric, unit, population: 'block', samples: view => [value(view) ?? []].flat() }
}

/**
 * Undefined when no block has a sample.
 * @param views the valid blocks of the condition in run order
 * @param censorBound what a percentile among censored samples is at least known to exceed
 */
export function cellOf<V> (condition: string, measure: Measure<V>, views: readonly V[], censorBound: number): Cell | undefined {
  const blocks = views.map(view => [...measure.samples(view)])
  const pooled = blocks.flat()
  if (pooled.length === 0) return undefined
  const nEff = effectiveN(blocks)
  const { censoredAbove, ...found } = percentiles(pooled, measure.floorsOn === 'all' ? pooled.length : nEff, censorBound)
  const mean = pooled.reduce((sum, value) => sum + value, 0) / pooled.length
  const stated = percentileNames.filter(name => found[name] !== null)
  const intervals = blockBootstrap(blocks, stated.map(name => quantileOf[name]))
  const ci95: Partial<Record<PercentileName, readonly [number, number]>> = {}
  stated.forEach((name, i) => {
    const interval = intervals[i]
    if (interval !== null && interval !== undefined) ci95[name] = interval
  })
  return {
    condition,
    metric: measure.metric,
    unit: measure.unit,
    population: measure.population,
    n: pooled.length,
    nEff,
    ...found,
    mean: Number.isFinite(mean) ? mean : null,
    ...(Object.keys(censoredAbove).length > 0 && { censoredAbove }),
    ...(Object.keys(ci95).length > 0 && { ci95 }),
    ...(measure.population === 'block' && pooled.length > 1 && pooled.every(Number.isFinite) && { range: [Math.min(...pooled), Math.max(...pooled)] as const })
  }
}
