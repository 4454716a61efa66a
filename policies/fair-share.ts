/** A generated token is charged as two prompt tokens, as in the paper. */
const OUTPUT_WEIGHT = 2

/** How far back a caller that was away may still claim its share, milliseconds. */
const WINDOW_MS = 10_000

/**
 * Fairness between callers by what they were served: a virtual token counter for each (Sheng et al., Fairness in Serving Large Language Models, OSDI '24). The caller
 * with the lowest counter is next. Who comes back after a pause is lifted to the lowest counter of those present, but of some seconds ago: a longer pause saves up
 * nothing, and a caller that asks for less than its share, now and then for a few calls at once, does not stand in line with one that always asks for more. Lifted to the lowest of now, as
 * in the paper, it would have to serve each such handful at the rate of its share, and wait for it.
 */
export class FairShare {
  readonly #counters = new Map<string, number>()
  /** Calls of each caller that wait or run. */
  readonly #present = new Map<string, number>()
  /** What the lowest counter of those present was, by time; of those from before the window only the last. Never falls. */
  #floors: Array<{ readonly atMs: number, readonly floor: number }> = []

  arrive (caller: string, atMs: number): void {
    const present = this.#present.get(caller) ?? 0
    if (present === 0) this.#counters.set(caller, Math.max(this.counter(caller), this.#floor(atMs)))
    this.#present.set(caller, present + 1)
  }

  /** Of the beginning of the window; sees what it is now. */
  #floor (atMs: number): number {
    const others = [...this.#present.keys()].map(other => this.counter(other))
    const floor = Math.max(this.#floors.at(-1)?.floor ?? 0, others.length === 0 ? 0 : Math.min(...others))
    this.#floors.push({ atMs, floor })
    this.#floors.splice(0, Math.max(0, this.#floors.findLastIndex(seen => seen.atMs <= atMs - WINDOW_MS)))
    return this.#floors[0]?.floor ?? 0
  }

  /** A call is over, or gone from the line. Who has none left is forgotten once nobody is present: all begin at 0 then. */
  gone (caller: string): void {
    const present = (this.#present.get(caller) ?? 0) - 1
    if (present > 0) this.#present.set(caller, present)
    else this.#present.delete(caller)
    if (this.#present.size > 0) return
    this.#counters.clear()
    this.#floors = []
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
