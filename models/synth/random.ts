/** Seeded 32-bit generator (mulberry32): small, fast, the same on every machine. Not for secrets. */
export function seededRandom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return (z ^ (z >>> 14)) >>> 0
  }
}

/** One seed of several, so that parts do not depend on the order in which they are made. */
export function mixSeed (...parts: number[]): number {
  let h = 0x9E3779B9
  for (const part of parts) {
    h = Math.imul(h ^ part, 0x85EBCA6B)
    h = Math.imul(h ^ (h >>> 13), 0xC2B2AE35)
    h ^= h >>> 16
  }
  return h >>> 0
}
