import type { Account } from './cost-model.js'
import type { Exchange } from './slot-files.js'
import type { SlotsReading } from './slot-table.js'

/** What of a call the choice of its slot may depend on. */
export interface SlotCall {
  readonly id: string
  /** Uncached prompt tokens, counted or estimated. */
  readonly prefillTokens: number
  /** A text that stands for its prompt (`promptText`); absent where the strategy does not look at it, or there is none. */
  readonly prompt?: string
  /** `cache_prompt: false`: all of its prompt is evaluated anew. */
  readonly reusesNothing?: boolean
}

/** A slot in which a call of ours runs. */
export interface BusySlot {
  readonly slot: number
  /** Milliseconds until that call is expected to let go of it. */
  readonly leftMs: number
}

/** Which slot of llama-server a call gets. Told of every call that starts, and asked only while it is certain which slots are idle. */
export interface SlotStrategy {
  /**
   * @param idle ids of the slots that nobody uses, ascending; at least one
   * @returns one of them, or undefined: llama-server chooses, and it is not known which one it takes
   */
  choose (call: SlotCall, idle: readonly number[], atMs: number): number | undefined
  /**
   * Whether a call that could start had better wait for a busy slot.
   * @param msPerToken time to evaluate a prompt token, milliseconds; 0 while that is not known
   * @returns how long that is worth waiting for, milliseconds; undefined: not at all
   */
  awaits? (call: SlotCall, idle: readonly number[], busy: readonly BusySlot[], msPerToken: number): number | undefined
  /** @param slot undefined: llama-server chooses */
  started? (call: SlotCall, slot: number | undefined, atMs: number): void
  /** What is to happen to the slot of a call that started, before it is sent; undefined: nothing. */
  exchange? (id: string): Exchange | undefined
  /** What of that happened. */
  exchanged? (id: string, done: { readonly saved: boolean, readonly restored: boolean }): void
  /** Prompt tokens that a running call is sure to find in its slot; undefined where that is not certain. */
  predictedTokens? (id: string): number | undefined
  /** Upstream is free of it. @param account absent when it did not run to its end, or llama-server gave none */
  released? (id: string, account: Account | undefined, atMs: number): void
  saw? (reading: SlotsReading): void
}

/** Weight of the newest call in the usual length of a prompt. */
const NEWEST = 1 / 16

/**
 * Short prompts in the lowest slots, long ones in the highest: llama-server adds prompt tokens to its batch in the order of slot ids, so a short prompt above a long one
 * waits for all of it (L6). Long is what is longer than the mean of the prompts so far.
 */
export class ByLength implements SlotStrategy {
  #usualTokens: number | undefined

  choose ({ prefillTokens }: SlotCall, idle: readonly number[]): number | undefined {
    const usualTokens = this.#usualTokens ?? prefillTokens
    this.#usualTokens = usualTokens + (prefillTokens - usualTokens) * NEWEST
    return prefillTokens > usualTokens ? idle.at(-1) : idle[0]
  }
}
