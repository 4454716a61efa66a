import type { DrawnLength, WorkloadClass } from '../types.js'
import { makeRandom, type Random } from './random.js'

/** Of a call's seed; its words are drawn from stream 0. */
const LENGTHS = 1
/** Draws before a length outside its bounds is moved to the nearer one: then next to nothing of the distribution lies inside. */
const DRAWS = 1000

export interface Lengths {
  readonly promptWords: number
  readonly maxTokens: number
}

/** Lengths of the call with this seed: the same in every arm, whatever came before it. */
export function lengthsOf ({ promptWords, maxTokens }: WorkloadClass, promptSeed: number): Lengths {
  const random = makeRandom(promptSeed, LENGTHS)
  const [words, tokens] = [promptWords, maxTokens].map(length => typeof length === 'number' ? length : drawn(length, random))
  return { promptWords: words ?? 1, maxTokens: tokens ?? 1 }
}

/** For a sample: nothing where the class says it already. */
export function drawnLengths (cls: WorkloadClass, promptSeed: number): Partial<Lengths> {
  const { promptWords, maxTokens } = lengthsOf(cls, promptSeed)
  return { ...(typeof cls.promptWords === 'number' ? {} : { promptWords }), ...(typeof cls.maxTokens === 'number' ? {} : { maxTokens }) }
}

/** Rejection keeps the shape between the bounds. */
function drawn ({ median, sigma, from, to }: DrawnLength, random: Random): number {
  let value = median
  for (let draw = 0; draw < DRAWS; draw++) {
    value = median * Math.exp(sigma * normal(random))
    if (value >= from && value <= to) break
  }
  return Math.min(to, Math.max(from, Math.round(value)))
}

/** Box and Muller. */
function normal (random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
