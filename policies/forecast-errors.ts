/** Times below are noise of the machine, not of the forecast, milliseconds. */
const FLOOR_MS = 20
const KEPT = 256
const ENOUGH = 20
/** Calls that waited in front, at its arrival: none, one, two or three, more. */
const DEPTHS = 4
/** Share of real times that are meant to fall outside. */
const OUTSIDE = 0.2
/** How fast the width follows what really falls outside. */
const GAIN = 0.05
const MAX_WIDTH = 5

export interface Interval {
  readonly lowMs: number
  readonly highMs: number
}

interface Stratum {
  /** In the order in which they came, and in their own. */
  readonly ratios: number[]
  readonly sorted: number[]
  /** Factor on the distance of its ends from the median, in logs. */
  width: number
}

/**
 * The interval that four in five real times fall into, around a forecast: quantiles of (real ÷ forecast) over the last calls that met a line of about this depth (split
 * conformal prediction; Angelopoulos & Bates, A Gentle Introduction to Conformal Prediction, 2021). Calls in one line share their errors, and a forecast's error is known
 * only when its wait is over, so those quantiles alone cover too little; their distance from the median therefore follows what really fell outside (as in adaptive conformal
 * inference; Gibbs & Candès, NeurIPS 2021), which holds in the long run however the errors hang together.
 */
export class ForecastErrors {
  readonly #byDepth: readonly Stratum[] = Array.from({ length: DEPTHS }, newStratum)

  /** @param predicted the interval that was given for it, if one was */
  sample (forecastMs: number, realMs: number, depth: number, predicted?: Interval): void {
    const stratum = this.#of(depth)
    const { ratios, sorted } = stratum
    const ratio = (Math.max(0, realMs) + FLOOR_MS) / (forecastMs + FLOOR_MS)
    ratios.push(ratio)
    sorted.splice(placeOf(sorted, ratio), 0, ratio)
    const oldest = ratios.length > KEPT ? ratios.shift() : undefined
    if (oldest !== undefined) sorted.splice(placeOf(sorted, oldest), 1)
    if (predicted === undefined) return
    const isOutside = realMs < predicted.lowMs || realMs > predicted.highMs
    stratum.width = Math.min(MAX_WIDTH, Math.max(1 / MAX_WIDTH, stratum.width * Math.exp(GAIN * ((isOutside ? 1 : 0) - OUTSIDE))))
  }

  /** Undefined until 20 calls of about this depth were seen. */
  interval (forecastMs: number, depth: number): Interval | undefined {
    const { sorted, width } = this.#of(depth)
    if (sorted.length < ENOUGH) return undefined
    const at = (rank: number): number => sorted[rank] ?? 1
    const median = at(sorted.length >> 1)
    const ms = (end: number): number => Math.max(0, (forecastMs + FLOOR_MS) * median * (end / median) ** width - FLOOR_MS)
    // Ranks of n + 1: the next real time is as likely to fall between any two of the old ones as before or after all of them.
    const outside = Math.floor((sorted.length + 1) * OUTSIDE / 2)
    return { lowMs: ms(at(outside - 1)), highMs: ms(at(sorted.length - outside)) }
  }

  #of (depth: number): Stratum {
    return this.#byDepth[Math.min(DEPTHS - 1, Math.ceil(Math.log2(depth + 1)))] ?? newStratum()
  }
}

function newStratum (): Stratum {
  return { ratios: [], sorted: [], width: 1 }
}

/** Index of the first value that is not below this one: every call is judged twice, and sorting all of them each time would cost more than the rest of its admission. */
function placeOf (sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? Infinity) < value) low = middle + 1
    else high = middle
  }
  return low
}
