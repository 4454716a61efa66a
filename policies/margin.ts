const KEPT = 64
const ENOUGH = 16

/**
 * How far predictions of time to first byte fall short: a high quantile of (real − predicted) over the last calls that met a
 * saturated server. Until enough of them are known, and never less than half of that, a share of the limit is kept back.
 */
export class Margin {
  readonly #errorsMs: number[] = []
  #quantileMs = 0

  constructor (readonly firstShare: number, readonly quantile: number) {}

  sample (errorMs: number): void {
    this.#errorsMs.push(errorMs)
    if (this.#errorsMs.length > KEPT) this.#errorsMs.shift()
    const sorted = [...this.#errorsMs].sort((a, b) => a - b)
    this.#quantileMs = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * this.quantile))] ?? 0
  }

  /** Kept back of this limit (finite): between half of the first share and half of the limit. */
  ms (limitMs: number): number {
    const firstMs = limitMs * this.firstShare
    if (this.#errorsMs.length < ENOUGH) return firstMs
    return Math.min(limitMs / 2, Math.max(firstMs / 2, this.#quantileMs))
  }
}
