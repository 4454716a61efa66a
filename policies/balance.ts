/** Of what was counted, this is left after another arrival: about the last 128 count. */
const KEPT = 1 - 1 / 128
/** Prompts belong to one class of lengths when they differ by less than this factor, more or less. */
const FACTOR = 1.5
/** As many calls at the share of all are added to those of a class before it is taken for the one that is behind: a rare class is not judged by its first calls. */
const PRIOR_CALLS = 8
/** A class is ahead when it had so many times the share of the one that is behind. */
const AHEAD = 1.05
/** Bound: for each call of a class that is served at most so many are turned away. A class that nobody can serve in time would else take all others down with it. */
const MOST_TURNED_AWAY = 3

interface Counts { offered: number, served: number, turnedAway: number }

/**
 * Where limits on the first token grow with the prompt, a line that is bounded by predicted time fills with the calls that can wait longest: the long ones. Here a call's
 * chance does not depend on its length. Of each class of lengths it is counted how many came and how many are served in time; a class whose share is ahead of that
 * of the one most behind is turned away for a while. Pure.
 */
export class Balance {
  readonly #byClass = new Map<number, Counts>()
  readonly #all = { offered: 0, served: 0 }

  /** A call came. @param prefillTokens that it is expected to have evaluated, as everywhere below */
  offer (prefillTokens: number): void {
    this.#all.offered = this.#all.offered * KEPT + 1
    this.#all.served *= KEPT
    for (const counts of this.#byClass.values()) {
      counts.offered *= KEPT
      counts.served *= KEPT
      counts.turnedAway *= KEPT
    }
    this.#of(prefillTokens).offered++
  }

  /** It starts, or waits and is expected to start in time. */
  serve (prefillTokens: number): void { this.#count(prefillTokens, 1) }

  /** It was not served in time after all. */
  unserve (prefillTokens: number): void { this.#count(prefillTokens, -1) }

  /** Whether a call that could be served is refused all the same, so that others get their part; it is counted as such then. */
  turnsAway (prefillTokens: number): boolean {
    const own = this.#of(prefillTokens)
    if (own.turnedAway >= MOST_TURNED_AWAY * own.served || own.served <= AHEAD * this.#leastShare * own.offered) return false
    own.turnedAway++
    return true
  }

  get #leastShare (): number {
    const share = this.#all.served / Math.max(1, this.#all.offered)
    let least = share
    for (const { offered, served } of this.#byClass.values()) least = Math.min(least, (served + PRIOR_CALLS * share) / (offered + PRIOR_CALLS))
    return least
  }

  #count (prefillTokens: number, calls: 1 | -1): void {
    const own = this.#of(prefillTokens)
    // Never below none: what is taken back has faded less than what was counted.
    own.served = Math.max(0, own.served + calls)
    this.#all.served = Math.max(0, this.#all.served + calls)
  }

  #of (prefillTokens: number): Counts {
    const cls = Math.floor(Math.log(Math.max(1, prefillTokens)) / Math.log(FACTOR))
    const known = this.#byClass.get(cls)
    if (known !== undefined) return known
    const none = { offered: 0, served: 0, turnedAway: 0 }
    this.#byClass.set(cls, none)
    return none
  }
}
