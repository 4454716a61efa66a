/** Answers at full company that make one measurement, for each place of the limit. */
const SAMPLES_PER_PLACE = 4
/** Measurements at the limit between two tries of a neighbour: a try that fails costs what it loses. */
const STAYS = 8
/** A neighbour must be this much better, or it is noise. */
const CLEARLY = 1.03

/**
 * How many calls may run at a time where more of them do not mean more tokens: the limit climbs to the most tokens per second (company ÷ time per token), and now and then
 * tries its neighbour on either side. It looks at time per token only: latency varies a hundredfold with the length of a prompt. Extremum seeking in the manner of
 * concurrency-limits' gradient (Netflix, 2018), with throughput in place of a no-load latency that a server which batches does not have.
 */
export class AdaptiveLimit {
  #max: number
  #limit: number
  /** Of the limit that is tried now. */
  #tokens = 0
  #msPerToken = 0
  /** Tokens per second at the limit that holds; undefined before its first measurement. */
  #best: { readonly limit: number, readonly rate: number } | undefined
  #stays = 0
  #down = true

  /** @param max places of the server; the limit begins there */
  constructor (max: number) {
    this.#max = max
    this.#limit = max
  }

  get limit (): number { return this.#limit }

  /** The server has another number of places: all begins anew. */
  resize (max: number): void {
    if (max === this.#max) return
    this.#max = max
    this.#limit = max
    this.#best = undefined
    this.#clear()
  }

  /**
   * An answer of at least two tokens ended.
   * @param company places taken when it started; only those at the limit say something about it
   * @param msPerToken its decode time per token
   */
  onSample (company: number, msPerToken: number): void {
    if (company !== this.#limit || msPerToken <= 0) return
    this.#msPerToken += msPerToken
    this.#tokens++
    if (this.#tokens < SAMPLES_PER_PLACE * this.#limit) return
    this.#judge(this.#limit / (this.#msPerToken / this.#tokens) * 1_000)
    this.#clear()
  }

  #judge (rate: number): void {
    const best = this.#best
    if (best === undefined || best.limit === this.#limit || rate > best.rate * CLEARLY) {
      if (best !== undefined && best.limit !== this.#limit) this.#stays = STAYS - 1 // On the way up the hill: try on at once.
      this.#best = { limit: this.#limit, rate }
      if (++this.#stays >= STAYS) this.#tryNeighbour()
      return
    }
    this.#limit = best.limit
    this.#down = !this.#down
  }

  #tryNeighbour (): void {
    this.#stays = 0
    const step = this.#down ? -1 : 1
    const next = this.#limit + step
    if (next >= 1 && next <= this.#max) this.#limit = next
    else this.#down = !this.#down
  }

  #clear (): void {
    this.#tokens = 0
    this.#msPerToken = 0
  }
}
