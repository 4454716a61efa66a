/** Who holds places, and for how long still. */
export interface Busy {
  readonly leftMs: number
  readonly places: number
}

/** Who stands in the line, and how long it will hold its places. */
export interface InLine {
  readonly places: number
  readonly serviceMs: number
}

/**
 * Milliseconds until a call of this many places starts behind the line: it is played forward on who runs now. llama-server works in common batches, so calls that start
 * together end together, and a mean interval between releases would be wrong by up to a service time.
 */
export function forecastWaitMs (free: number, busy: readonly Busy[], line: readonly InLine[], places: number): number {
  const releases = [...busy].sort((a, b) => a.leftMs - b.leftMs)
  let startMs = 0
  let left = free
  for (const next of [...line, { places, serviceMs: 0 }]) {
    while (left < next.places) {
      const released = releases.shift()
      if (released === undefined) return startMs
      startMs = Math.max(startMs, released.leftMs)
      left += released.places
    }
    left -= next.places
    const leftMs = startMs + next.serviceMs
    const at = releases.findIndex(later => later.leftMs > leftMs)
    releases.splice(at < 0 ? releases.length : at, 0, { leftMs, places: next.places })
  }
  return startMs
}
