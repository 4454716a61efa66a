/** The last times that count. */
const REMEMBERED = 64
/** Chance that a conversation comes back at all which is away for longer than any that came back. */
const OVERDUE_CHANCE = 0.1

/**
 * After which time conversations come back: from the end of one answer to the next prompt that continues it, whether or not its slot was kept meanwhile. From it
 * follows which slot is dearest: that whose conversation comes back most surely and soonest (hit density, Beckmann et al., NSDI 2018). Where conversations take turns it
 * is the one that was used least lately, so that throwing out the least recently used one, as llama-server does, loses each just before it is needed.
 */
export class ReturnTimes {
  /** Of those that came back, and of those that were forgotten without having come back, at this age; the oldest first. */
  readonly #returnedMs: number[] = []
  readonly #lostMs: number[] = []

  returned (gapMs: number): void { keep(this.#returnedMs, gapMs) }

  lost (ageMs: number): void { keep(this.#lostMs, ageMs) }

  /** Expected returns per millisecond of a conversation whose last answer ended `ageMs` ago; undefined before any came back. */
  density (ageMs: number): number | undefined {
    if (this.#returnedMs.length === 0) return undefined
    let returns = 0
    let waitMs = 0
    for (const gapMs of this.#returnedMs) {
      if (gapMs <= ageMs) continue
      returns++
      waitMs += gapMs - ageMs
    }
    if (returns === 0) return OVERDUE_CHANCE / Math.max(1, ageMs)
    const never = this.#lostMs.filter(lostMs => lostMs > ageMs).length
    return returns / (returns + never) / Math.max(1, waitMs / returns)
  }
}

function keep (times: number[], ms: number): void {
  times.push(ms)
  if (times.length > REMEMBERED) times.shift()
}
