/** A generated token is charged as two prompt tokens, as in the paper. */
const OUTPUT_WEIGHT = 2

/** How far back a caller that was away may still claim its share, milliseconds. */
const WINDOW_MS = 10_000
/** Calls by which one must be ahead of another to have been served more: what a call is charged with at its start is a guess, and calls come in handfuls. */
export const ALIKE_CALLS = 2
/** Between two looks at the counters, milliseconds at least. */
const STEP_MS = 100

/**
 * Fairness between callers by what they were served: a virtual token counter for each (Sheng et al., Fairness in Serving Large Language Models, OSDI '24). The caller
 * with the lowest counter is next. Who comes back after a pause of some seconds is lifted to the lowest counter of those present then: a caller that asks for less than its share, now and then for
 * a few calls at once, does not stand in line with one that always asks for more. Lifted to the lowest of now, as in the paper, it would have to serve each such handful at the rate of its share, and
 * wait for it. Who was away for longer, or is new, is lifted to the highest of these seconds but for two of its calls: a pause saves
 * up nothing, and a caller that comes and sends many takes nothing from those who asked for more than others while it was not there.
 */
export class FairShare {
  readonly #counters = new Map<string, number>()
  /** When its last call was over, of callers that have none. */
  readonly #goneAtMs = new Map<string, number>()
  /** Calls of each caller that wait or run. */
  readonly #present = new Map<string, number>()
  /** What the lowest counter of those present was, by time; of those from before the window only the last. Never falls. */
  #floors: Array<{ readonly atMs: number, readonly floor: number }> = []

  /** @param callCharge what its call will be charged with, by its weight */
  arrive (caller: string, atMs: number, callCharge: number): void {
    this.#see(atMs)
    const present = this.#present.get(caller) ?? 0
    if (present === 0) this.#counters.set(caller, Math.max(this.counter(caller), this.#wasHere(caller, atMs) ? this.#floors[0]?.floor ?? 0 : this.#highest(atMs) - ALIKE_CALLS * callCharge))
    this.#present.set(caller, present + 1)
  }

  /** A call is over, or gone from the line. Who has none left is forgotten once nobody is present: all begin at 0 then. */
  gone (caller: string, atMs: number): void {
    this.#see(atMs)
    const present = (this.#present.get(caller) ?? 0) - 1
    if (present > 0) this.#present.set(caller, present)
    else {
      this.#present.delete(caller)
      this.#goneAtMs.set(caller, atMs)
    }
    if (this.#present.size > 0) return
    this.#counters.clear()
    this.#goneAtMs.clear()
    this.#floors = []
  }

  #wasHere (caller: string, atMs: number): boolean {
    return this.#present.has(caller) || (this.#goneAtMs.get(caller) ?? -Infinity) >= atMs - WINDOW_MS
  }

  /** Of those of the window. Forgets who was away for longer and has no more than anybody begins with: a server that is never idle has no end of callers. */
  #highest (atMs: number): number {
    const floor = this.#floors[0]?.floor ?? 0
    let highest = 0
    for (const [caller, counter] of this.#counters) {
      if (this.#wasHere(caller, atMs)) highest = Math.max(highest, counter)
      else if (counter <= floor) {
        this.#counters.delete(caller)
        this.#goneAtMs.delete(caller)
      }
    }
    return highest
  }

  /** Callers of whom something is remembered. */
  get size (): number { return this.#counters.size }

  /** Notes the lowest counter of those present, and forgets those from before the window but one. */
  #see (atMs: number): void {
    const last = this.#floors.at(-1)
    if (last === undefined || atMs >= last.atMs + STEP_MS) {
      const counters = [...this.#present.keys()].map(caller => this.counter(caller))
      this.#floors.push({ atMs, floor: Math.max(last?.floor ?? 0, counters.length === 0 ? 0 : Math.min(...counters)) })
    }
    this.#floors.splice(0, Math.max(0, this.#floors.findLastIndex(seen => seen.atMs <= atMs - WINDOW_MS)))
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
