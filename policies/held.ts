import type { Running } from './schedule-entry.js'

/** Places that running calls hold, and how much of them over time. */
export class Held {
  #taken = 0
  #ending = 0
  #placeMs = 0

  /** Those of calls at their last token are not among them: the next call may have them. */
  get taken (): number { return this.#taken }

  /** Those of calls at their last token. */
  get ending (): number { return this.#ending }

  /** Places taken × milliseconds, since the start. */
  get placeMs (): number { return this.#placeMs }

  advance (ms: number): void { this.#placeMs += this.#taken * Math.max(0, ms) }

  take (places: number): void { this.#taken += places }

  /** Of what is taken, as many as calls at their last token still have, where there are so many places. */
  beyond (places: number): number { return Math.min(this.#ending, Math.max(0, this.#taken + this.#ending - places)) }

  /** Upstream works on the last token of this call, and is free of it after that step: what is sent now is there then, what is sent after it misses a step. */
  handOver (entry: Running | undefined): void {
    if (entry === undefined || entry.ending === true) return
    entry.ending = true
    this.#taken -= entry.places
    this.#ending += entry.places
  }

  /** Upstream is free of this call. */
  free ({ places, ending = false }: Running): void {
    if (ending) this.#ending -= places
    else this.#taken -= places
  }
}
