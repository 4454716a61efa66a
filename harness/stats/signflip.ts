import { seededRandom } from './random.js'

/** Up to this many pairs every sign vector is tried; above, `monteCarloSplits` random ones. */
export const exactUpTo = 16
const monteCarloSplits = 19_999

export interface SignFlip {
  readonly n: number
  readonly mean: number
  /** Two-sided, of "the mean is 0"; never below 2/2^n. */
  readonly p: number
  /** All centres which the test does not reject at alpha; null when n is too small to reject any (n < 6 at 0.05). */
  readonly interval: readonly [number, number] | null
}

/**
 * Sign-flip test of the mean and its inversion, so that interval and p cannot disagree: p ≤ alpha exactly when 0 lies
 * outside the interval. Assumes that a difference is as likely as its negative under "no effect", which pairs of equal
 * blocks give by construction. Used on single log ratios instead of differences of pairs, it covers less when these are
 * skewed: 8 of them at a skewness of 0.3 cover 95 %, of 1.7 92 %, of 6 85 % (simulated, lognormal).
 *
 * A sign vector flips a subset S of the n differences. With centre c, |Σ ±(x − c)| ≥ |Σ (x − c)| holds exactly when c
 * lies between mean(S) and mean(not S), so each split {S, not S} is one closed interval round the overall mean,
 * p(c) = share of splits that hold c, and the ends of the confidence interval are order statistics of theirs.
 * (Fisher 1935 for the test; Tukey's walk through group means for its inversion.)
 * @param seed used only above `exactUpTo` differences
 */
export function signFlip (differences: readonly number[], alpha: number, seed = 1): SignFlip {
  const n = differences.length
  if (n === 0) throw new RangeError('signFlip needs at least 1 difference, got 0')
  const mean = differences.reduce((sum, x) => sum + x, 0) / n
  const { lows, highs } = n <= exactUpTo ? allSplits(differences) : randomSplits(differences, seed)
  // The split into nothing and everything holds every centre.
  const splits = lows.length + 1
  let holdingZero = 1
  for (let i = 0; i < lows.length; i++) if (lows[i]! <= 0 && highs[i]! >= 0) holdingZero++
  const needed = Math.floor(alpha * splits + 1e-9)
  lows.sort()
  highs.sort()
  const low = lows[needed - 1]
  const high = highs[highs.length - needed]
  const bounded = low !== undefined && high !== undefined && Number.isFinite(low) && Number.isFinite(high)
  return { n, mean, p: holdingZero / splits, interval: bounded ? [low, high] : null }
}

/** The smallest two-sided p that n pairs can give. */
export function smallestP (n: number): number {
  return n < 1 ? 1 : Math.min(1, 2 / 2 ** n)
}

interface Splits { readonly lows: Float64Array, readonly highs: Float64Array }

/** Ties by rounding count as held. */
function slackOf (x: readonly number[]): number {
  return 1e-12 * x.reduce((most, one) => Math.max(most, Math.abs(one)), 0)
}

function allSplits (x: readonly number[]): Splits {
  const n = x.length
  const total = x.reduce((sum, one) => sum + one, 0)
  const count = 2 ** (n - 1)
  const sums = new Float64Array(count)
  const sizes = new Uint8Array(count)
  const lows = new Float64Array(count - 1)
  const highs = new Float64Array(count - 1)
  const slack = slackOf(x)
  for (let mask = 1; mask < count; mask++) {
    const rest = mask & (mask - 1)
    const bit = 31 - Math.clz32(mask ^ rest)
    sums[mask] = sums[rest]! + x[bit + 1]!
    sizes[mask] = sizes[rest]! + 1
    const inside = sums[mask]! / sizes[mask]!
    const outside = (total - sums[mask]!) / (n - sizes[mask]!)
    lows[mask - 1] = Math.min(inside, outside) - slack
    highs[mask - 1] = Math.max(inside, outside) + slack
  }
  return { lows, highs }
}

function randomSplits (x: readonly number[], seed: number): Splits {
  const random = seededRandom(seed)
  const n = x.length
  const total = x.reduce((sum, one) => sum + one, 0)
  const lows = new Float64Array(monteCarloSplits)
  const highs = new Float64Array(monteCarloSplits)
  const slack = slackOf(x)
  for (let i = 0; i < monteCarloSplits; i++) {
    let sum = 0
    let size = 0
    for (const one of x) {
      if (random() < 0.5) continue
      sum += one
      size++
    }
    const trivial = size === 0 || size === n
    const inside = sum / size
    const outside = (total - sum) / (n - size)
    lows[i] = trivial ? -Infinity : Math.min(inside, outside) - slack
    highs[i] = trivial ? Infinity : Math.max(inside, outside) + slack
  }
  return { lows, highs }
}
