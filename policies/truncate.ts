import type { Call } from './contract.js'
import { promptShape, sizeOf, type PromptShape } from './prompt-shape.js'
import { conversationOf, turnsOf, type Conversation } from './turns.js'

type Json = Readonly<Record<string, unknown>>

/** A conversation that may lose its oldest turns. Instructions and the last turn always stay. */
export class Truncation {
  readonly #json: Json
  readonly #conversation: Conversation
  readonly #turnOf: ReadonlyArray<number | undefined>
  /** By number of dropped turns. */
  readonly #shapes: readonly PromptShape[]

  /** Undefined: the call is no conversation. */
  static of (call: Pick<Call, 'path' | 'body'>): Truncation | undefined {
    const conversation = conversationOf(call.body.json)
    return conversation === undefined ? undefined : new Truncation(call, conversation)
  }

  private constructor (call: Pick<Call, 'path' | 'body'>, conversation: Conversation) {
    this.#json = call.body.json
    this.#conversation = conversation
    this.#turnOf = turnsOf(conversation.messages)
    this.#shapes = this.#shapesFrom(promptShape(call))
  }

  /** Most turns that can be dropped: all but the last. */
  get most (): number {
    return this.#shapes.length - 1
  }

  /** What remains, from 0 to `most` dropped turns. */
  json (dropped: number): Json {
    const { field, messages } = this.#conversation
    return { ...this.#json, [field]: messages.filter((_, index) => (this.#turnOf[index] ?? Infinity) >= dropped) }
  }

  shape (dropped: number): PromptShape {
    const shape = this.#shapes[dropped]
    if (shape === undefined) throw new RangeError(`${dropped} turns cannot be dropped; at most ${this.most} can`)
    return shape
  }

  #shapesFrom (whole: PromptShape): PromptShape[] {
    const turns: PromptShape[] = []
    this.#conversation.messages.forEach((message, index) => {
      const turn = this.#turnOf[index]
      if (turn === undefined) return
      const sum = turns[turn] ?? { chars: 0, turns: 0, images: 0 }
      const { chars, images } = sizeOf(message)
      turns[turn] = { chars: sum.chars + chars, turns: sum.turns + 1, images: sum.images + images }
    })
    const shapes = [whole]
    let left = whole
    for (const { chars, turns: messages, images } of turns.slice(0, -1)) {
      left = { chars: left.chars - chars, turns: left.turns - messages, images: left.images - images }
      shapes.push(left)
    }
    return shapes
  }
}

export interface Counted {
  readonly dropped: number
  readonly tokens: number
}

export interface TurnSearch {
  /** Counted already, and above the limit. */
  readonly tooLong: Counted
  /** Most turns that can be dropped. */
  readonly most: number
  readonly limitTokens: number
  readonly charsLeft: (dropped: number) => number
  /** Exact, by round trips to upstream. Undefined: it does not answer, and the search ends. */
  readonly tokensLeft: (dropped: number) => Promise<number | undefined>
}

/** With the count that shows that a prompt is too long: four. */
const MORE_COUNTS = 3

/**
 * How many turns to drop, counted exactly; above the limit when nothing is known to fit. Guesses by tokens per character between the
 * last two counts, so it is the fewest turns or, where texts differ much, some more: a count is a round trip, and there are three at most.
 */
export async function fewestTurns (search: TurnSearch): Promise<Counted> {
  const { most, limitTokens, charsLeft, tokensLeft } = search
  let { tooLong } = search
  let fits: Counted | undefined
  let before = { chars: 0, tokens: 0 }
  let last = { chars: charsLeft(tooLong.dropped), tokens: tooLong.tokens }
  for (let left = MORE_COUNTS; left > 0 && tooLong.dropped < most; left--) {
    const end: number = fits?.dropped ?? most + 1
    const tokensPerChar = (last.tokens - before.tokens) / (last.chars - before.chars)
    let dropped = tooLong.dropped + 1
    // Not a number where no text is left to tell by: that is no guess.
    while (dropped < end && !(last.tokens + tokensPerChar * (charsLeft(dropped) - last.chars) <= limitTokens)) dropped++
    if (dropped === end && fits !== undefined) break
    // The last count must say whether anything fits.
    if (dropped === end || (left === 1 && fits === undefined)) dropped = most
    const tokens = await tokensLeft(dropped)
    if (tokens === undefined) break
    before = last
    last = { chars: charsLeft(dropped), tokens }
    if (tokens <= limitTokens) fits = { dropped, tokens }
    else tooLong = { dropped, tokens }
  }
  return fits ?? tooLong
}
