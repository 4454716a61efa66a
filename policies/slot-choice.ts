/** What of a call the choice of its slot may depend on. */
export interface SlotCall {
  readonly id: string
  /** Uncached prompt tokens, counted or estimated. */
  readonly prefillTokens: number
}

/** Which slot of llama-server a call gets. Told of every call that starts, and only of idle slots. */
export interface SlotStrategy {
  /**
   * @param idle ids of the slots that nobody uses, ascending; at least one
   * @returns one of them, or undefined: llama-server chooses, and it is not known which one it takes
   */
  choose (call: SlotCall, idle: readonly number[], atMs: number): number | undefined
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
