/** Bins of equal width on a log axis. */
const BINS_PER_DECADE = 30
/** Gaps below this are two tokens in one packet. */
const LEAST_MS = 0.1

/** Lower edge of a bin as log10 of milliseconds. */
export function edgeOf (bin: number): number {
  return bin / BINS_PER_DECADE
}

/** Bin → sum of the weights of its gaps; a weight of 1 counts them. */
export function histogram (gapsMs: readonly number[], weightOf: (gapMs: number) => number = () => 1): Map<number, number> {
  const bins = new Map<number, number>()
  for (const gap of gapsMs) {
    const bin = Math.floor(Math.log10(Math.max(gap, LEAST_MS)) * BINS_PER_DECADE)
    bins.set(bin, (bins.get(bin) ?? 0) + weightOf(gap))
  }
  return bins
}
