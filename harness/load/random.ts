/** Uniform in [0, 1) with 32 bits. */
export type Random = () => number

/**
 * sfc32 by Chris Doty-Humphrey (PractRand; public domain), its state filled by splitmix32-style mixing of the seed
 * (finaliser of MurmurHash3 by Austin Appleby, public domain) and 12 warm-up rounds as in PractRand's own seeding.
 * `stream` gives independent sequences of one seed. Not for secrets.
 */
export function makeRandom (seed: number, stream = 0): Random {
  let mixed = Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77) ^ Math.floor(seed / 2 ** 32)
  function mix (): number {
    mixed = (mixed + 0x9e3779b9) | 0
    let word = mixed
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
    return word ^ (word >>> 16)
  }
  let a = mix()
  let b = mix()
  let c = mix()
  let counter = 1
  function next (): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }
  for (let round = 0; round < 12; round++) next()
  return next
}

/** A 32-bit seed derived from a seed and a number, for the n-th call of a run. */
export function deriveSeed (seed: number, n: number): number {
  return Math.floor(makeRandom(seed, n)() * 2 ** 32)
}
