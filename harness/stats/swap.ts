import { bootstrapDefaults, intervalOf, resampled, type BootstrapOptions } from './bootstrap.js'
import { seededRandom } from './random.js'
import { poolOf, weightedQuantile } from './weighted.js'

/** Up to this many pairs every labelling is tried; above, `monteCarloLabellings` random ones. */
const exactUpTo = 10
const monteCarloLabellings = 1999

export interface QuantileRatio {
  /** Quantile of all `after` samples ÷ quantile of all `before` samples. */
  readonly ratio: number
  /** Bootstrap over pairs. */
  readonly interval: readonly [number, number] | null
  /** Two-sided, by exchanging the labels within pairs. */
  readonly p: number
}

export interface SamplePair { readonly before: readonly number[], readonly after: readonly number[] }

/** Effect on a pooled quantile (all blocks of an arm together), for quantiles that one block cannot support. Null when an arm is empty or a quantile is not positive. */
export function quantileRatio (pairs: readonly SamplePair[], q: number, options: BootstrapOptions = bootstrapDefaults): QuantileRatio | null {
  const n = pairs.length
  // Groups 2i and 2i + 1 are the blocks of pair i.
  const pool = poolOf(pairs.flatMap(pair => [pair.before, pair.after]))
  const logRatio = (a: ArrayLike<number>, b: ArrayLike<number>): number | undefined => {
    const before = weightedQuantile(pool, a, q)
    const after = weightedQuantile(pool, b, q)
    return before !== undefined && after !== undefined && before > 0 && after > 0 ? Math.log(after / before) : undefined
  }
  const swapped = (swaps: (pair: number) => boolean): number | undefined => {
    const a = new Uint16Array(2 * n)
    const b = new Uint16Array(2 * n)
    for (let i = 0; i < n; i++) {
      const other = swaps(i) ? 1 : 0
      a[2 * i + other] = 1
      b[2 * i + 1 - other] = 1
    }
    return logRatio(a, b)
  }
  const observed = n === 0 ? undefined : swapped(() => false)
  if (observed === undefined || !Number.isFinite(observed)) return null
  const random = seededRandom(options.seed)
  const exact = n <= exactUpTo
  const labellings = exact ? 2 ** (n - 1) : monteCarloLabellings
  let asFar = exact ? 0 : 1
  for (let i = 0; i < labellings; i++) {
    const value = swapped(exact ? pair => ((i >> pair) & 1) === 1 : () => random() < 0.5)
    if (value === undefined || Math.abs(value) >= Math.abs(observed) - 1e-12) asFar++
  }
  const replicates: number[] = []
  for (let r = 0; r < options.replicates; r++) {
    const weights = resampled(n, random)
    const value = logRatio(spread(weights, 0), spread(weights, 1))
    if (value !== undefined) replicates.push(Math.exp(value))
  }
  return { ratio: Math.exp(observed), interval: intervalOf(replicates, options.level), p: asFar / (exact ? labellings : labellings + 1) }
}

function spread (weights: Uint16Array, offset: 0 | 1): Uint16Array {
  const out = new Uint16Array(2 * weights.length)
  weights.forEach((weight, i) => { out[2 * i + offset] = weight })
  return out
}
