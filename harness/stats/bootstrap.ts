import { nearestRank } from './percentile.js'
import { below, seededRandom } from './random.js'
import { poolOf, weightedQuantile } from './weighted.js'

export interface BootstrapOptions {
  readonly replicates: number
  readonly seed: number
  /** 0.95 for a 95 % interval. */
  readonly level: number
}

export const bootstrapDefaults: BootstrapOptions = { replicates: 1000, seed: 1, level: 0.95 }

/**
 * Percentile intervals of pooled quantiles by resampling whole blocks (cluster bootstrap, Davison & Hinkley 1997 §3.8):
 * calls of one block share its server and are not independent. An interval is null when one of its ends is a censored
 * sample, or with fewer than 2 blocks. It is a description: over few blocks it covers less than its level, so no
 * verdict hangs on it alone.
 */
export function blockBootstrap (
  blocks: readonly (readonly number[])[], qs: readonly number[], options: BootstrapOptions = bootstrapDefaults
): (readonly [number, number] | null)[] {
  if (blocks.length < 2) return qs.map(() => null)
  const random = seededRandom(options.seed)
  const pool = poolOf(blocks)
  const replicates: number[][] = qs.map(() => [])
  for (let r = 0; r < options.replicates; r++) {
    const weights = resampled(blocks.length, random)
    qs.forEach((q, i) => {
      const value = weightedQuantile(pool, weights, q)
      if (value !== undefined) replicates[i]?.push(value)
    })
  }
  return replicates.map(values => intervalOf(values, options.level))
}

/** How often each of n items was drawn in n draws with replacement. */
export function resampled (n: number, random: () => number): Uint16Array {
  const weights = new Uint16Array(n)
  for (let i = 0; i < n; i++) weights[below(random, n)]!++
  return weights
}

/** The middle `level` of replicates; null when there are none or an end is not finite. */
export function intervalOf (replicates: readonly number[], level: number): readonly [number, number] | null {
  const sorted = Float64Array.from(replicates).sort()
  const low = nearestRank(sorted, (1 - level) / 2)
  const high = nearestRank(sorted, (1 + level) / 2)
  return low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high) ? [low, high] : null
}
