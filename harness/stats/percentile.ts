export type PercentileName = 'p50' | 'p95' | 'p99'

export const quantileOf: Readonly<Record<PercentileName, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 }

/**
 * Fewest independent samples below which a percentile is not stated. p95 and p99: the smallest n with 1 − q^n ≥ 95 %,
 * i.e. at least one sample lies beyond the percentile. p50: the smallest n whose whole range holds the median with 95 %
 * (1 − 2/2^n).
 */
export const floorOf: Readonly<Record<PercentileName, number>> = { p50: 6, p95: 59, p99: 299 }

export const percentileNames: readonly PercentileName[] = ['p50', 'p95', 'p99']

/** Nearest rank (the ⌈q·n⌉-th smallest), no floor; undefined when empty. `sorted` ascending; Infinity = right-censored. */
export function nearestRank (sorted: ArrayLike<number>, q: number): number | undefined {
  return sorted[rankOf(q, sorted.length) - 1]
}

/** 1-based rank of quantile q among n; guards against (1 − 0.95) / 2 × 1000 = 25.00000000000002. */
export function rankOf (q: number, n: number): number {
  return Math.max(1, Math.ceil(q * n - 1e-9))
}

export interface Percentiles {
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  /** For percentiles that fall into right-censored samples: a bound that the true value is above. */
  readonly censoredAbove: Partial<Record<PercentileName, number>>
}

/**
 * Percentiles with their floors. Right-censored samples are +Infinity: a percentile among them is null and stands in
 * `censoredAbove` with the larger of `censorBound` and the largest finite sample.
 * @param nEff independent samples that these are worth; the floors apply to it
 */
export function percentiles (values: readonly number[], nEff: number, censorBound = 0): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const censoredAbove: Partial<Record<PercentileName, number>> = {}
  const found: Record<PercentileName, number | null> = { p50: null, p95: null, p99: null }
  for (const name of percentileNames) {
    const value = nEff >= floorOf[name] ? nearestRank(sorted, quantileOf[name]) : undefined
    if (value === undefined) continue
    if (Number.isFinite(value)) found[name] = value
    else censoredAbove[name] = sorted.reduce((most, one) => Number.isFinite(one) ? Math.max(most, one) : most, censorBound)
  }
  return { ...found, censoredAbove }
}
