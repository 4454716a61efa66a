/** Times below are noise of the machine, not of the forecast, milliseconds. */
const FLOOR_MS = 20
const KEPT = 128
const ENOUGH = 20
/** Calls that waited in front, at its arrival: none, one, two or three, more. */
const DEPTHS = 4

export interface Interval {
  readonly lowMs: number
  readonly highMs: number
}

/**
 * The interval that four in five real times fall into, around a forecast: quantiles of (real ÷ forecast) over the last calls that met a line of about this depth. That is
 * split conformal prediction (Angelopoulos & Bates, A Gentle Introduction to Conformal Prediction, 2021) over a moving window: it holds as long as the next call is like
 * the last ones, whatever shape the errors have.
 */
export class ForecastErrors {
  readonly #byDepth: number[][] = Array.from({ length: DEPTHS }, () => [])

  sample (forecastMs: number, realMs: number, depth: number): void {
    const ratios = this.#of(depth)
    ratios.push((Math.max(0, realMs) + FLOOR_MS) / (forecastMs + FLOOR_MS))
    if (ratios.length > KEPT) ratios.shift()
  }

  /** Undefined until 20 calls of about this depth were seen. */
  interval (forecastMs: number, depth: number): Interval | undefined {
    const ratios = this.#of(depth)
    if (ratios.length < ENOUGH) return undefined
    const sorted = [...ratios].sort((a, b) => a - b)
    const ms = (rank: number): number => Math.max(0, (forecastMs + FLOOR_MS) * (sorted[rank] ?? 1) - FLOOR_MS)
    // Ranks of n + 1: the next real time is as likely to fall between any two of the old ones as before or after all of them.
    const outside = Math.floor((sorted.length + 1) * 0.1)
    return { lowMs: ms(outside - 1), highMs: ms(sorted.length - outside) }
  }

  #of (depth: number): number[] {
    return this.#byDepth[Math.min(DEPTHS - 1, Math.ceil(Math.log2(depth + 1)))] ?? []
  }
}
