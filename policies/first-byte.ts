const NEWEST = 1 / 8
/** An estimate that kept calls out cannot be corrected by them: after this long without a sample it is forgotten. */
const STALE_MS = 60_000

/** Time from start to first byte, by how many places were taken at the start: slots share one machine, so company costs. */
export class FirstByte {
  readonly #byTaken = new Map<number, { ms: number, atMs: number }>()

  sample (taken: number, ms: number, atMs: number): void {
    const known = this.#byTaken.get(taken)
    const fresh = known !== undefined && atMs - known.atMs <= STALE_MS
    this.#byTaken.set(taken, { ms: fresh ? known.ms + (ms - known.ms) * NEWEST : ms, atMs })
  }

  /** Of the same or the next smaller company; 0 when nothing is known, because only a call that starts can teach it. */
  estimateMs (taken: number, atMs: number): number {
    for (let company = taken; company >= 1; company--) {
      const known = this.#byTaken.get(company)
      if (known !== undefined && atMs - known.atMs <= STALE_MS) return known.ms
    }
    return 0
  }
}
