import { seededRandom, shuffled } from '../stats/random.js'
import type { BlockPlan, Design } from '../types.js'

/**
 * The blocks of a plan in run order. All blocks of a repeat get the same trace.
 * @param probes conditions that are steps of a search: each once, in their order, before all others
 */
export function blocksInOrder (design: Design, conditions: readonly string[], repeats: number, seed: number, probes: readonly string[] = []): BlockPlan[] {
  const order = design === 'pairs' ? abba : design === 'factorial' ? balanced : random
  const repeat = (i: number, conditions: readonly string[]) => conditions.map(condition => ({ condition, pair: i + 1, traceSeed: seed * 1000 + i + 1 }))
  return [...repeat(0, probes), ...Array.from({ length: repeats }, (_, i) => repeat(i, order(conditions, i, seed))).flat()]
    .map(({ condition, pair, traceSeed }, i) => ({ index: i + 1, pair, condition, traceSeed }))
}

/** before after, after before, …: a drift that is linear in time cancels. */
function abba (conditions: readonly string[], repeat: number): string[] {
  return repeat % 2 === 0 ? [...conditions] : [...conditions].reverse()
}

/**
 * Rows of a Latin square in which each condition follows each other one equally often (Williams 1949), for an even number of conditions: in each
 * run of as many repeats as there are conditions, each is once at each place and what it leaves behind falls on all others alike.
 */
function balanced (conditions: readonly string[], repeat: number, seed: number): string[] {
  const n = conditions.length
  return conditions.map((_, place) => {
    const step = place % 2 === 1 ? (place + 1) / 2 : n - place / 2
    return conditions[(repeat + seed + step) % n] ?? ''
  })
}

function random (conditions: readonly string[], repeat: number, seed: number): string[] {
  return shuffled(seededRandom(seed * 1000 + repeat + 1), conditions)
}
