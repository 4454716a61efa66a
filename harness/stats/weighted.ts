import { rankOf } from './percentile.js'

/** All samples of several groups in one ascending order, each with the number of its group. */
export interface Pool {
  readonly values: Float64Array
  readonly groups: Uint16Array
  readonly sizes: readonly number[]
}

export function poolOf (groups: readonly (readonly number[])[]): Pool {
  const tagged = groups.flatMap((samples, group) => samples.map(value => ({ value, group })))
  tagged.sort((a, b) => a.value < b.value ? -1 : a.value > b.value ? 1 : 0)
  return {
    values: Float64Array.from(tagged, one => one.value),
    groups: Uint16Array.from(tagged, one => one.group),
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
