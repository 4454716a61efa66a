/** Smallest k with P(X ≤ k) ≥ level for X ~ Binomial(n, p), 0 < p < 1: more than k alarms are not chance at that level. */
export function binomialBound (n: number, p: number, level: number): number {
  let logProbability = n * Math.log1p(-p)
  let cumulative = Math.exp(logProbability)
  let k = 0
  while (cumulative < level && k < n) {
    logProbability += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p)
    cumulative += Math.exp(logProbability)
    k++
  }
  return k
}
