/** Predictions before it judges, and the tokens that they must add up to. */
const ENOUGH = { calls: 8, tokens: 500 }
/** Share of what was predicted that must be found. */
const LEAST_SHARE = 0.5
/** Share of the sums that each new call keeps. */
const KEPT = 1 - 1 / 32

/** Whether llama-server finds in its slots what was predicted. Once it did not, it has failed for good. */
export class PrefixCheck {
  readonly #onFailure: (why: string) => void
  #predicted = 0
  #found = 0
  #calls = 0
  #failed = false

  /** @param onFailure told once */
  constructor (onFailure: (why: string) => void) {
    this.#onFailure = onFailure
  }

  get failed (): boolean { return this.#failed }

  /** Found ÷ predicted lately; undefined before anything was predicted. */
  get share (): number | undefined { return this.#predicted > 0 ? this.#found / this.#predicted : undefined }

  add (predictedTokens: number, foundTokens: number): void {
    if (this.#failed || predictedTokens < 1) return
    this.#calls++
    this.#predicted = this.#predicted * KEPT + predictedTokens
    // What is found beyond a prediction makes up for nothing.
    this.#found = this.#found * KEPT + Math.min(predictedTokens, foundTokens)
    if (this.#calls < ENOUGH.calls || this.#predicted < ENOUGH.tokens || this.#found >= LEAST_SHARE * this.#predicted) return
    this.#failed = true
    this.#onFailure(`of the last ${Math.round(this.#predicted)} prompt tokens that the slots should have had, llama-server found ${Math.round(this.#found)}`)
  }
}
