/** Weight of the newest sample in the sums: about the last eight count. */
const NEWEST = 1 / 8

/**
 * An estimate that keeps calls out cannot be corrected by them: after so long without a sample it is forgotten, and one of them tries. One that rests on few calls, of
 * which the first may have met a hiccup, is tried again sooner.
 */
const STALE = { few: 4, ofFewMs: 10_000, ofManyMs: 60_000 }

interface Sums {
  ms: number
  units: number
  calls: number
  atMs: number
}

/**
 * Milliseconds per unit of work by how many places were taken: slots share one machine, so company costs. A ratio of sums that fade, so that a long call counts for
 * its length.
 */
export class CompanyRate {
  readonly #byCompany = new Map<number, Sums>()

  sample (company: number, units: number, ms: number, atMs: number): void {
    const known = this.#byCompany.get(company)
    if (known === undefined) {
      this.#byCompany.set(company, { ms, units, calls: 1, atMs })
      return
    }
    known.ms += (ms - known.ms) * NEWEST
    known.units += (units - known.units) * NEWEST
    known.calls++
    known.atMs = atMs
  }

  /** In the same company, else in the next smaller one that is known, else in the next larger one. */
  msPerUnit (company: number): number | undefined {
    return this.#nearest(company, () => true)
  }

  /** In the same company or the next smaller one, of those that were seen lately. */
  freshMsPerUnit (company: number, atMs: number): number | undefined {
    return this.#nearest(company, (known, sums) => known <= company && atMs - sums.atMs <= (sums.calls < STALE.few ? STALE.ofFewMs : STALE.ofManyMs))
  }

  #nearest (company: number, counts: (known: number, sums: Sums) => boolean): number | undefined {
    let nearest: number | undefined
    for (const [known, sums] of this.#byCompany) {
      if (counts(known, sums) && (nearest === undefined || isCloser(known, nearest, company))) nearest = known
    }
    const sums = nearest === undefined ? undefined : this.#byCompany.get(nearest)
    return sums === undefined ? undefined : sums.ms / sums.units
  }

  toJson (): Array<[company: number, ms: number, units: number]> {
    return [...this.#byCompany].map(([company, { ms, units }]) => [company, ms, units])
  }

  /** Takes what `toJson` gave as if it had just been learned. */
  restore (saved: ReadonlyArray<readonly [company: number, ms: number, units: number]>, atMs: number): void {
    for (const [company, ms, units] of saved) this.#byCompany.set(company, { ms, units, calls: STALE.few, atMs })
  }
}

function isCloser (known: number, nearest: number, company: number): boolean {
  if ((known <= company) !== (nearest <= company)) return known <= company
  return known <= company ? known > nearest : known < nearest
}
