import type { Measured } from './timings.js'

export interface FormatOptions {
  readonly id: string
  readonly createdS: number
  readonly model: string
  readonly includeUsage: boolean
  readonly timingsPerToken: boolean
}

/** One finished answer to one prompt. */
export interface Choice {
  readonly index: number
  readonly text: string
  readonly promptText: string
  readonly promptIds: readonly number[]
  readonly measured: Measured
  readonly slotId: number
  /** The limit of tokens ended it, not the fake's own end of text. */
  readonly limited: boolean
  readonly maxTokens: number
  readonly stream: boolean
  readonly ignoreEos: boolean
}

/** How a route writes the same answer. */
export interface AnswerFormat {
  /** Events before a choice's first token. */
  first (index: number, measured: Measured): readonly unknown[]
  token (index: number, word: string, wordId: number, measured: Measured): unknown
  last (choice: Choice): readonly unknown[]
  /** The `data` after the last event, if the route has one. */
  readonly done: string | undefined
  /** Each event also has an `event:` line with its `type`. */
  readonly named: boolean
  /** An error in mid-stream is an `event: error` with nothing around the error object; else it is `{"error": …}` without a name. */
  readonly bareErrors: boolean
  whole (choices: readonly Choice[]): unknown
}

export const BUILD_INFO = 'b11669-fake'
