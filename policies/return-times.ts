/** Buckets for each doubling of the time. */
const PER_DOUBLING = 4
/** Share of what was seen that each new time keeps: some sixty of the last ones count. */
const KEPT = 1 - 1 / 64
/** Below this many left, what is known says nothing of what is overdue. */
const FEW = 0.5
/** Chance that what is overdue comes back at all. */
const OVERDUE_CHANCE = 0.1

/**
 * After which time conversations come back: from the end of one answer to the next prompt that continues it, whether or not its slot was kept meanwhile. From it
 * follows which slot is dearest: that whose conversation comes back most surely and soonest (hit density, Beckmann et al., NSDI 2018). Where conversations take turns it
 * is the one that was used least lately, so that throwing out the least recently used one, as llama-server does, loses each just before it is needed.
 */
export class ReturnTimes {
  /** By bucket: came back, and were forgotten without having come back, at this age. */
  readonly #returned = new Map<number, number>()
  readonly #lost = new Map<number, number>()

  returned (gapMs: number): void { add(this.#returned, gapMs) }

  lost (ageMs: number): void { add(this.#lost, ageMs) }

  /** Expected returns per millisecond of a conversation whose last answer ended `ageMs` ago; undefined before any came back. */
  density (ageMs: number): number | undefined {
    if (this.#returned.size === 0) return undefined
    let hits = 0
    let waitMs = 0
    for (const [bucket, weight] of this.#returned) {
      const leftMs = upperMs(bucket) - ageMs
      if (leftMs <= 0) continue
      hits += weight
      waitMs += weight * leftMs
    }
    if (hits < FEW) return OVERDUE_CHANCE / Math.max(1, ageMs)
    let never = 0
    for (const [bucket, weight] of this.#lost) if (upperMs(bucket) > ageMs) never += weight
    return hits / (hits + never) / Math.max(1, waitMs / hits)
  }
}

function add (counts: Map<number, number>, ms: number): void {
  for (const [bucket, weight] of counts) {
    if (weight * KEPT < 1e-3) counts.delete(bucket)
    else counts.set(bucket, weight * KEPT)
  }
  const bucket = Math.floor(Math.log2(Math.max(1, ms)) * PER_DOUBLING)
  counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
}

function upperMs (bucket: number): number {
  return 2 ** ((bucket + 1) / PER_DOUBLING)
}
