/** A generated token is charged as two prompt tokens, as in the paper. */
const OUTPUT_WEIGHT = 2

/**
 * Fairness between callers by what they were served: a virtual token counter for each (Sheng et al., Fairness in Serving Large Language Models, OSDI '24). The caller
 * with the lowest counter is next; who comes back after a pause is lifted to the lowest of those present, so that a pause saves up nothing.
 */
export class FairShare {
  readonly #counters = new Map<string, number>()
  /** Calls of each caller that wait or run. */
  readonly #present = new Map<string, number>()

  arrive (caller: string): void {
    const present = this.#present.get(caller) ?? 0
    if (present === 0) {
      const others = [...this.#present.keys()].map(other => this.counter(other))
      const lowest = others.length === 0 ? this.counter(caller) : Math.min(...others)
      this.#counters.set(caller, Math.max(this.counter(caller), lowest))
    }
    this.#present.set(caller, present + 1)
  }

  /** A call is over, or gone from the line. Who has none left is forgotten once nobody is present: all begin at 0 then. */
  gone (caller: string): void {
    const present = (this.#present.get(caller) ?? 0) - 1
    if (present > 0) this.#present.set(caller, present)
    else this.#present.delete(caller)
    if (this.#present.size === 0) this.#counters.clear()
  }

  /** Charges tokens in units of the caller's weight; negative to correct what was charged in advance. */
  charge (caller: string, weight: number, tokens: number): void {
    this.#counters.set(caller, this.counter(caller) + tokens / weight)
  }

  counter (caller: string): number {
    return this.#counters.get(caller) ?? 0
  }
}

/** What a call is charged with, in prompt tokens. */
export function chargeOf (promptTokens: number, outputTokens: number): number {
  return promptTokens + OUTPUT_WEIGHT * outputTokens
}
