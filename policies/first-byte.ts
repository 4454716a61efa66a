const NEWEST = 1 / 8
/** An estimate that kept calls out cannot be corrected by them: after this long without a sample it is forgotten. */
const STALE_MS = 60_000
interface Estimate {
  readonly meanMs: number
  readonly deviationMs: number
  readonly atMs: number
}

/** Time from start to first byte, by how many places were taken at the start: slots share one machine, so company costs. */
export class FirstByte {
  readonly #byTaken = new Map<number, Estimate>()

  sample (taken: number, ms: number, atMs: number): void {
    const known = this.#fresh(taken, atMs)
    const errorMs = known === undefined ? 0 : ms - known.meanMs
    this.#byTaken.set(taken, {
      meanMs: known === undefined ? ms : known.meanMs + errorMs * NEWEST,
      deviationMs: known === undefined ? ms / 8 : known.deviationMs + (Math.abs(errorMs) - known.deviationMs) * NEWEST,
      atMs
    })
  }

  /** Of the same or the next smaller company; 0 when nothing is known, because only a call that starts can teach it. */
  estimateMs (taken: number, atMs: number): number {
    return this.#nearest(taken, atMs)?.meanMs ?? 0
  }

  /** The same and one mean deviation more. */
  cautiousMs (taken: number, atMs: number): number {
    const known = this.#nearest(taken, atMs)
    return known === undefined ? 0 : known.meanMs + known.deviationMs
  }

  #nearest (taken: number, atMs: number): Estimate | undefined {
    for (let company = taken; company >= 1; company--) {
      const known = this.#fresh(company, atMs)
      if (known !== undefined) return known
    }
    return undefined
  }

  #fresh (taken: number, atMs: number): Estimate | undefined {
    const known = this.#byTaken.get(taken)
    return known !== undefined && atMs - known.atMs <= STALE_MS ? known : undefined
  }
}
