/** Weight of a pair beside that of the next one: about the last six count, and two of now outweigh all that was before. */
const KEPT = 0.7
/** A pair before so many weighs less than a thousandth. */
const MOST = 20

/**
 * How many times as much one way costs as the other, from stretches that follow each other: what two ways cost at different times says nothing where the machine changes
 * its pace by a third from one minute to the next. Pure.
 */
export class PairedGain {
  /** Logarithms, the newest first; older ones weigh next to nothing. */
  #logs: readonly number[] = []
  #pairs = 0

  get pairs (): number { return this.#pairs }

  /** @param gain cost of the one ÷ cost of the other, of two neighbours */
  add (gain: number): void {
    this.#logs = [Math.log(gain), ...this.#logs.slice(0, MOST - 1)]
    this.#pairs++
  }

  /** Geometric mean; 1 without pairs. */
  get mean (): number { return Math.exp(this.#mean) }

  /** A standard error less than the mean: what chance makes of two ways that cost the same is not taken for a gain. */
  get cautious (): number { return Math.exp(this.#mean - this.#error) }

  get #mean (): number { return weightedMean(this.#logs) }

  /** Of a weighted mean: its spread by the effective number of pairs (Kish 1965). */
  get #error (): number {
    const [mean, weights] = [this.#mean, this.#logs.map((_, age) => KEPT ** age)]
    const effective = sum(weights) ** 2 / sum(weights.map(weight => weight ** 2))
    return effective > 1 ? Math.sqrt(weightedMean(this.#logs.map(log => (log - mean) ** 2)) / (effective - 1)) : 0
  }
}

function weightedMean (values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values.map((value, age) => value * KEPT ** age)) / sum(values.map((_, age) => KEPT ** age))
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
