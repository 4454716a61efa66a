import { rankOf } from './percentile.js'

/** All samples of several groups in one ascending order, each with the number of its group. */
export interface Pool {
  readonly values: Float64Array
  readonly groups: Uint16Array
  readonly sizes: readonly number[]
  /** Checkpoints: of each group, how many samples are among the first 0, `STRIDE`, twice `STRIDE` … */
  readonly before: readonly Uint32Array[]
}

/** A quantile walks so many samples at most; resampling asks for thousands of them, of pools with a hundred thousand calls. */
const STRIDE = 512

export function poolOf (groups: readonly (readonly number[])[]): Pool {
  const flat = Float64Array.from(groups.flat())
  const groupOf = Uint16Array.from(groups.flatMap((samples, group) => samples.map(() => group)))
  const order = Uint32Array.from(flat, (_, i) => i).sort((a, b) => flat[a]! < flat[b]! ? -1 : flat[a]! > flat[b]! ? 1 : 0)
  const ordered = Uint16Array.from(order, i => groupOf[i]!)
  return {
    values: Float64Array.from(order, i => flat[i]!),
    groups: ordered,
    sizes: groups.map(samples => samples.length),
    before: checkpoints(ordered, groups.length)
  }
}

function checkpoints (ordered: Uint16Array, groups: number): Uint32Array[] {
  const passed = new Uint32Array(groups)
  const found = [passed.slice()]
  ordered.forEach((group, i) => {
    passed[group]!++
    if ((i + 1) % STRIDE === 0) found.push(passed.slice())
  })
  return found
}

/** Nearest-rank quantile of a pool in which group g counts `weights[g]` times, a whole number. Undefined when nothing has weight. */
export function weightedQuantile ({ values, groups, sizes, before }: Pool, weights: ArrayLike<number>, q: number): number | undefined {
  const total = weigh(sizes, weights)
  if (total === 0) return undefined
  const rank = rankOf(q, total)
  // The last checkpoint that has less than the rank before it: the first one has nothing.
  let [low, high] = [0, before.length - 1]
  while (low < high) {
    const between = (low + high + 1) >> 1
    if (weigh(before[between]!, weights) < rank) low = between
    else high = between - 1
  }
  let passed = weigh(before[low]!, weights)
  for (let i = low * STRIDE; i < values.length; i++) {
    passed += weights[groups[i]!]!
    if (passed >= rank) return values[i]
  }
  return undefined
}

function weigh (counts: ArrayLike<number>, weights: ArrayLike<number>): number {
  let sum = 0
  for (let group = 0; group < counts.length; group++) sum += counts[group]! * weights[group]!
  return sum
}
