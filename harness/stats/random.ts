import { makeRandom, type Random } from '../load/random.js'

export type { Random }

/** The generator of the load, on a stream of its own: resampling never repeats the draws of a trace with the same seed. */
export function seededRandom (seed: number): Random {
  return makeRandom(seed, resamplingStream)
}

const resamplingStream = 1000

/** Integer in [0, n). */
export function below (random: Random, n: number): number {
  return Math.floor(random() * n)
}

/** Standard normal by Box and Muller (1958). */
export function normal (random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Fisher–Yates; a new array. */
export function shuffled<T> (random: Random, items: readonly T[]): T[] {
  const left = [...items]
  const out: T[] = []
  while (left.length > 0) out.push(...left.splice(below(random, left.length), 1))
  return out
}
