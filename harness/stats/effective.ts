import { slope } from './slope.js'

/**
 * How many independent samples a set of autocorrelated series is worth: n / (1 + 2 Σ ρ_k), the lag sum cut by Geyer's
 * initial positive sequence (Geyer, "Practical Markov Chain Monte Carlo", Statist. Sci. 7, 1992).
 *
 * ρ is taken on ranks, because percentiles depend on ranks only and right-censored samples (+Infinity) then have one;
 * within a series and pooled over the series; and after a straight line is taken out of each series, because a backlog
 * that grows by design is not noise. Series are independent of each other (a fresh server each), so the answer is never
 * below their number.
 * @param series one per block, each in order of intended time
 */
export function effectiveN (series: readonly (readonly number[])[]): number {
  const filled = series.filter(one => one.length > 0)
  const n = filled.reduce((sum, one) => sum + one.length, 0)
  const residuals = ranked(filled).map(detrended)
  const variance = lagSum(residuals, 0)
  if (n === 0 || variance <= 1e-9 * n) return n
  const longest = Math.max(...filled.map(one => one.length))
  let pairs = 0
  for (let lag = 0; lag < longest; lag += 2) {
    const pair = (lagSum(residuals, lag) + lagSum(residuals, lag + 1)) / variance
    if (pair <= 0) break
    pairs += pair
  }
  const worth = n / Math.max(1, 2 * pairs - 1)
  return Math.max(Math.min(filled.length, n), Math.floor(worth))
}

function lagSum (series: readonly Float64Array[], lag: number): number {
  let sum = 0
  for (const one of series) {
    for (let i = lag; i < one.length; i++) sum += one[i]! * one[i - lag]!
  }
  return sum
}

/** Mid-ranks over all series together. */
function ranked (series: readonly (readonly number[])[]): Float64Array[] {
  const sorted = Float64Array.from(series.flat()).sort()
  const rank = new Map<number, number>()
  for (let from = 0; from < sorted.length;) {
    const value = sorted[from]!
    let to = from + 1
    while (to < sorted.length && sorted[to] === value) to++
    rank.set(value, (from + to - 1) / 2)
    from = to
  }
  return series.map(one => Float64Array.from(one, value => rank.get(value) ?? 0))
}

function detrended (values: Float64Array): Float64Array {
  const xs = Array.from(values, (_, i) => i)
  const steep = values.length >= 3 ? slope(xs, Array.from(values)) ?? 0 : 0
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const middle = (values.length - 1) / 2
  return values.map((value, i) => value - mean - steep * (i - middle))
}
