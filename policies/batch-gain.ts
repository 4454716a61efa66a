/** Inputs from one power of two of tokens to the next are of one length. */
export function lengthOf (tokens: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, tokens)))
}

/** How inputs go upstream. */
export type Way = 'alone' | 'joined'

export interface Choice {
  readonly way: Way
  readonly why: string
  /** The server's time for an input alone ÷ joined; absent while one of them is not known. */
  readonly gain?: number
}

/** About the last so many inputs of a way count: a stall of a moment must not decide, and sixteen that go alone are a moment. */
const MEMORY = 128
/** Of the way that is looked at again, what was known before counts as so many: it is old, and may be of code and caches that were cold. */
const OLD = 16
/** Samples of a way before it is believed. */
const FEW = 6
/**
 * Inputs that go the same way and can be measured before it is looked at again. An input is not measured beside one that goes the other way: as many as are under way go beside
 * those of the round before, and as many beside those of the next one.
 */
const ROUND = 32
/** A round in so many goes the other way, and half as often each time that it changed nothing. At first soon: what was learned first is of code and caches that were cold. */
const TRY = { first: 8, last: 512 }
/** Once joined, a gain may be so much less before it ends: what lies at the border would go to and fro. */
const HYSTERESIS = 0.02

interface Cost {
  ms: number
  inputs: number
  samples: number
}

interface Length {
  readonly costs: Readonly<Record<Way, Cost>>
  usual: Way
  choice: Choice
  left: number
  roundsToTry: number
  tryEvery: number
}

/**
 * Whether inputs of a length are served in less of the server's time joined than alone, learned from both. An input has a fixed cost (a request of its own) and one by its
 * tokens; joining saves of the first and, above some length, adds to the second, since llama-server evaluates prompts of one call together. So it is learned for each
 * doubling of the length, and nothing is carried from one to the other. Pure.
 */
export class BatchGain {
  readonly #minGain: number
  readonly #lengths = new Map<number, Length>()

  constructor (minGain: number) {
    this.#minGain = minGain
  }

  /** How the next inputs of this length go, for a call that could go with others. @param tokens of an input @param inputs of the call @param underWay inputs at upstream */
  choose (tokens: number, inputs: number, underWay: number): Choice {
    const length = this.#length(tokens)
    if (length.left <= 0) {
      this.#nextRound(length)
      length.left = ROUND + 2 * underWay
    }
    length.left -= inputs
    return length.choice
  }

  /** These go with a call that has chosen already. */
  joins (tokens: number, inputs: number): void {
    this.#length(tokens).left -= inputs
  }

  /** @param ms of the server, that all these inputs took together */
  learn (way: Way, tokens: number, inputs: number, ms: number): void {
    const cost = this.#length(tokens).costs[way]
    const kept = Math.max(0, 1 - inputs / MEMORY)
    cost.ms = cost.ms * kept + ms
    cost.inputs = cost.inputs * kept + inputs
    cost.samples++
  }

  gain (tokens: number): number | undefined {
    return gainOf(this.#length(tokens).costs)
  }

  /** Lengths, each the largest power of two in it, whose inputs are joined. */
  get joined (): number[] {
    return [...this.#lengths].filter(([, { usual }]) => usual === 'joined').map(([tokens]) => tokens)
  }

  #nextRound (length: Length): void {
    const { costs } = length
    const gain = gainOf(costs)
    if (gain === undefined) {
      length.choice = { way: costs.joined.samples <= costs.alone.samples ? 'joined' : 'alone', why: 'to learn what it costs' }
      return
    }
    const usual = gain >= this.#minGain - (length.usual === 'joined' ? HYSTERESIS : 0) ? 'joined' : 'alone'
    if (usual !== length.usual) {
      length.usual = usual
      length.tryEvery = length.roundsToTry = TRY.first
    }
    if (--length.roundsToTry <= 0) {
      length.tryEvery = length.roundsToTry = Math.min(TRY.last, length.tryEvery * 2)
      const way = usual === 'joined' ? 'alone' : 'joined'
      fade(costs[way])
      length.choice = { way, why: 'to learn whether that has changed', gain }
    } else {
      length.choice = { way: usual, why: usual === 'joined' ? 'a gain is predicted' : 'no gain is predicted', gain }
    }
  }

  #length (tokens: number): Length {
    const key = lengthOf(tokens)
    const known = this.#lengths.get(key)
    if (known !== undefined) return known
    const cost = (): Cost => ({ ms: 0, inputs: 0, samples: 0 })
    const length: Length = { costs: { alone: cost(), joined: cost() }, usual: 'alone', choice: { way: 'alone', why: '' }, left: 0, roundsToTry: TRY.first, tryEvery: TRY.first }
    this.#lengths.set(key, length)
    return length
  }
}

function fade (cost: Cost): void {
  const kept = Math.min(1, OLD / cost.inputs)
  cost.ms *= kept
  cost.inputs *= kept
}

function gainOf ({ alone, joined }: Length['costs']): number | undefined {
  if (alone.samples < FEW || joined.samples < FEW || !(joined.ms > 0)) return undefined
  return (alone.ms / alone.inputs) / (joined.ms / joined.inputs)
}
