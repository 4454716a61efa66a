/** Numbers in [0, 1). */
export type Random = () => number

/**
 * mulberry32 by Tommy Ettinger (2017, public domain, gist tommyettinger/46a874533244883189143505d203312c): 32 bits of
 * state, period 2^32, passes gjrand. Enough for resampling, not for secrets.
 */
export function seededRandom (seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let word = state
    word = Math.imul(word ^ (word >>> 15), word | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 4294967296
  }
}

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
