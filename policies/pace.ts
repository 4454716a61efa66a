/** Weight of the newest release in the means: about the last dozen releases count. */
const NEWEST = 1 / 12
/** Releases under saturation before their interval is believed. */
const ENOUGH = 3

/**
 * How fast the server gives places back. Learned only from the time in which it was saturated (no place free, or somebody
 * waiting), because a half-idle server releases seldom without being slow: interval = saturated time ÷ places released in it.
 */
export class Pace {
  #atMs = 0
  #saturatedMs = 0
  #saturatedPlaces = 0
  /** Saturated time since the last release. */
  #openMs = 0
  #serviceMs: number | undefined
  #fullServiceMs: number | undefined

  /** Accounts the time up to now; called before every event, with what was true until then. */
  advance (atMs: number, saturated: boolean): void {
    if (saturated) this.#openMs += Math.max(0, atMs - this.#atMs)
    this.#atMs = Math.max(this.#atMs, atMs)
  }

  /** Places came back after `servedMs`; `full`: all places were taken from the start of that call. */
  released (places: number, servedMs: number, saturated: boolean, full: boolean): void {
    this.#serviceMs = this.#serviceMs === undefined ? servedMs : this.#serviceMs + (servedMs - this.#serviceMs) * NEWEST
    if (full) this.#fullServiceMs = this.#fullServiceMs === undefined ? servedMs : this.#fullServiceMs + (servedMs - this.#fullServiceMs) * NEWEST
    if (!saturated) return
    const kept = (1 - NEWEST) ** places
    this.#saturatedMs = this.#saturatedMs * kept + this.#openMs
    this.#saturatedPlaces = this.#saturatedPlaces * kept + places
    this.#openMs = 0
  }

  /** Expected milliseconds from start to release of a call among as many as there are places; of any call before one such was seen. */
  get serviceMs (): number | undefined {
    return this.#fullServiceMs ?? this.#serviceMs
  }

  /** Whether the server was seen saturated for long enough to be believed. */
  get measured (): boolean {
    return this.#saturatedPlaces >= ENOUGH
  }

  /**
   * Expected milliseconds between two released places under saturation. Before saturation was seen: service time ÷ places, an
   * optimistic guess (it holds where slots do not slow each other). Undefined before the first release.
   */
  intervalMs (totalPlaces: number): number | undefined {
    if (!this.measured) return this.#serviceMs === undefined ? undefined : this.#serviceMs / totalPlaces
    // A release that is overdue counts already, so that a stalled server is noticed before its next release.
    return Math.max(
      this.#saturatedMs / this.#saturatedPlaces,
      (this.#saturatedMs + this.#openMs) / (this.#saturatedPlaces + 1)
    )
  }
}
