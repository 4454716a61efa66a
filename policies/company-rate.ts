/** Weight of the newest sample in the sums: about the last eight count. */
const NEWEST = 1 / 8

interface Sums {
  ms: number
  units: number
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
      this.#byCompany.set(company, { ms, units, atMs })
      return
    }
    known.ms += (ms - known.ms) * NEWEST
    known.units += (units - known.units) * NEWEST
    known.atMs = atMs
  }

  /** In the same company, else in the next smaller one that is known, else in the next larger one. Older than `sinceMs` does not count, nor a larger one unless `orLarger`. */
  msPerUnit (company: number, sinceMs = -Infinity, orLarger = true): number | undefined {
    let nearest: number | undefined
    for (const [known, { atMs }] of this.#byCompany) {
      if (atMs < sinceMs || (known > company && !orLarger)) continue
      if (nearest === undefined || isCloser(known, nearest, company)) nearest = known
    }
    const sums = nearest === undefined ? undefined : this.#byCompany.get(nearest)
    return sums === undefined ? undefined : sums.ms / sums.units
  }

  toJson (): Array<[company: number, ms: number, units: number]> {
    return [...this.#byCompany].map(([company, { ms, units }]) => [company, ms, units])
  }

  /** Takes what `toJson` gave as if it had just been learned. */
  restore (saved: ReadonlyArray<readonly [company: number, ms: number, units: number]>, atMs: number): void {
    for (const [company, ms, units] of saved) this.#byCompany.set(company, { ms, units, atMs })
  }
}

function isCloser (known: number, nearest: number, company: number): boolean {
  if ((known <= company) !== (nearest <= company)) return known <= company
  return known <= company ? known > nearest : known < nearest
}
