import { rankOf } from './percentile.js'

/** All samples of several groups in one ascending order, each with the number of its group. */
export interface Pool {
  readonly values: Float64Array
  readonly groups: Uint16Array
  readonly sizes: readonly number[]
}

export function poolOf (groups: readonly (readonly number[])[]): Pool {
  const flat = Float64Array.from(groups.flat())
  const groupOf = Uint16Array.from(groups.flatMap((samples, group) => samples.map(() => group)))
  const order = Uint32Array.from(flat, (_, i) => i).sort((a, b) => flat[a]! < flat[b]! ? -1 : flat[a]! > flat[b]! ? 1 : 0)
  return {
    values: Float64Array.from(order, i => flat[i]!),
    groups: Uint16Array.from(order, i => groupOf[i]!),
    sizes: groups.map(samples => samples.length)
  }
}

/** Nearest-rank quantiles of a pool in which group g counts `weights[g]` times; `qs` ascending. Undefined when nothing has weight. */
export function weightedQuantiles (pool: Pool, weights: ArrayLike<number>, qs: readonly number[]): number[] | undefined {
  const total = pool.sizes.reduce((sum, size, group) => sum + size * weights[group]!, 0)
  if (total === 0) return undefined
  const ranks = qs.map(q => rankOf(q, total))
  const found: number[] = []
  let passed = 0
  for (let i = 0; i < pool.values.length && found.length < ranks.length; i++) {
    passed += weights[pool.groups[i]!]!
    while (found.length < ranks.length && passed >= ranks[found.length]!) found.push(pool.values[i]!)
  }
  return found
}

/** The same for one quantile, walked from the nearer end: a p95 looks at a twentieth of the pool. */
export function weightedQuantile (pool: Pool, weights: ArrayLike<number>, q: number): number | undefined {
  if (q <= 0.5) return weightedQuantiles(pool, weights, [q])?.[0]
  const total = pool.sizes.reduce((sum, size, group) => sum + size * weights[group]!, 0)
  if (total === 0) return undefined
  const rankFromTop = total - rankOf(q, total) + 1
  let passed = 0
  for (let i = pool.values.length - 1; i >= 0; i--) {
    passed += weights[pool.groups[i]!]!
    if (passed >= rankFromTop) return pool.values[i]
  }
  return undefined
}
