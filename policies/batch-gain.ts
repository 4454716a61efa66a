import { PairedGain } from './paired-gain.js'

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

/** About the last so many inputs of a stretch count: a stall of a moment must not decide. */
const MEMORY = 64
/**
 * Inputs that go the same way and can be measured before the other way may have its turn. An input is not measured beside one that goes the other way: as many as are under way go beside
 * those of the round before, and as many beside those of the next one.
 */
const ROUND = 32
/** Measured inputs of a stretch before it is compared at its end. */
const LEAST = 8
/** Pairs before they are believed. */
const FEW = 4
/** A round in so many goes the other way, and half as often each time that it changed nothing. At first soon: what was learned first is of code and caches that were cold. */
const TRY = { first: 8, last: 512 }
/** Once joined, a gain may be so much less before it ends: what lies at the border would go to and fro. */
const HYSTERESIS = 0.02
/** What costs so many times more or less than when it was compared is looked at again: more than a machine changes its pace by, which changes both ways alike. About the last so many inputs count. */
const CHANGED = { times: 1.6, inputs: 256 }

interface Cost {
  ms: number
  inputs: number
}

/** Inputs one after the other that went the same way. */
interface Stretch extends Cost {
  readonly way: Way
  /** Of all, also of those that no longer count. */
  measured: number
  compared: boolean
}

interface Length {
  readonly pairs: PairedGain
  stretch: Stretch | undefined
  /** What the stretch before cost at its end, milliseconds an input. */
  beforeMs: number | undefined
  usual: Way
  /** Of the usual way, and what that was when the other one was last tried. */
  usualCost: Cost
  usualMs: number | undefined
  choice: Choice
  left: number
  roundsToTry: number
  tryEvery: number
}

/**
 * Whether inputs of a length are served in less of the server's time joined than alone, learned from stretches of both that follow each other. An input has a fixed cost (a request of its
 * own) and one by its tokens; joining saves of the first and, above some length, adds to the second, since llama-server evaluates prompts of one call together. So it is learned for each
 * doubling of the length, and nothing is carried from one to the other. Joined is what is faster by more than chance. Pure.
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
    const length = this.#length(tokens)
    if (length.stretch?.way !== way) nextStretch(length, way)
    const { stretch } = length
    if (stretch === undefined) return
    count(stretch, ms, inputs, MEMORY)
    if (way === length.usual) count(length.usualCost, ms, inputs, CHANGED.inputs)
    stretch.measured += inputs
    if (stretch.measured >= ROUND) compare(length)
  }

  /** The server's time for an input alone ÷ joined, as far as it is not chance where they go alone; undefined while too little is known. */
  gain (tokens: number): number | undefined {
    return gainOf(this.#length(tokens))
  }

  /** Lengths, each the largest power of two in it, whose inputs are joined. */
  get joined (): number[] {
    return [...this.#lengths].filter(([, { usual }]) => usual === 'joined').map(([tokens]) => tokens)
  }

  #nextRound (length: Length): void {
    const gain = gainOf(length)
    if (gain === undefined) {
      length.choice = { way: otherThan(length.choice.way), why: 'to learn what it costs' }
      return
    }
    const usual = gain >= this.#minGain - (length.usual === 'joined' ? HYSTERESIS : 0) ? 'joined' : 'alone'
    if (usual !== length.usual) {
      length.usual = usual
      length.usualCost = none()
      length.usualMs = undefined
      length.roundsToTry = length.tryEvery = TRY.first
    } else if (hasChanged(length)) {
      length.roundsToTry = 0
      length.tryEvery = TRY.first
    } else {
      length.roundsToTry--
    }
    if (length.roundsToTry <= 0) {
      length.tryEvery = length.roundsToTry = Math.min(TRY.last, length.tryEvery * 2)
      length.usualMs = msPerInput(length.usualCost)
      length.choice = { way: otherThan(usual), why: 'to learn whether that has changed', gain }
    } else {
      length.choice = { way: usual, why: usual === 'joined' ? 'a gain is predicted' : 'no gain is predicted', gain }
    }
  }

  #length (tokens: number): Length {
    const key = lengthOf(tokens)
    const known = this.#lengths.get(key)
    if (known !== undefined) return known
    const length: Length = { pairs: new PairedGain(), stretch: undefined, beforeMs: undefined, usual: 'alone', usualCost: none(), usualMs: undefined, choice: { way: 'alone', why: '' }, left: 0, roundsToTry: TRY.first, tryEvery: TRY.first }
    this.#lengths.set(key, length)
    return length
  }
}

function otherThan (way: Way): Way {
  return way === 'joined' ? 'alone' : 'joined'
}

/** In favour of what is done: to begin joining needs more than chance, to go on only what it gains on average. */
function gainOf ({ pairs, usual }: Length): number | undefined {
  if (pairs.pairs < FEW) return undefined
  return usual === 'joined' ? pairs.mean : pairs.cautious
}

function none (): Cost {
  return { ms: 0, inputs: 0 }
}

/** About the last `memory` inputs count. */
function count (cost: Cost, ms: number, inputs: number, memory: number): void {
  const kept = Math.max(0, 1 - inputs / memory)
  cost.ms = cost.ms * kept + ms
  cost.inputs = cost.inputs * kept + inputs
}

/** Undefined while there is none. */
function msPerInput ({ ms, inputs }: Cost): number | undefined {
  return inputs > 0 && ms > 0 ? ms / inputs : undefined
}

function nextStretch (length: Length, way: Way): void {
  const { stretch } = length
  if (stretch !== undefined && stretch.measured >= LEAST) {
    compare(length)
    length.beforeMs = msPerInput(stretch)
  } else {
    length.beforeMs = undefined
  }
  length.stretch = { way, ms: 0, inputs: 0, measured: 0, compared: false }
}

/** A stretch is compared once, with the end of the one before it. */
function compare ({ stretch, beforeMs, pairs }: Length): void {
  if (stretch === undefined || stretch.compared) return
  stretch.compared = true
  const ms = msPerInput(stretch)
  if (ms !== undefined && beforeMs !== undefined) pairs.add(stretch.way === 'alone' ? ms / beforeMs : beforeMs / ms)
}

function hasChanged ({ usualCost, usualMs }: Length): boolean {
  const ms = msPerInput(usualCost)
  if (ms === undefined || usualMs === undefined) return false
  return ms > CHANGED.times * usualMs || ms < usualMs / CHANGED.times
}
