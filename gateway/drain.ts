import type { Clock } from '../policies/contract.js'

/** The end of the gateway: new and waiting calls are refused, running ones may finish. */
export class Drain {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onStart: () => void
  #endsAtMs: number | undefined

  /**
   * @param timeoutMs how long running calls may go on
   * @param onStart refuses everything that waits
   */
  constructor (clock: Clock, timeoutMs: number, onStart: () => void) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onStart = onStart
  }

  get draining (): boolean {
    return this.#endsAtMs !== undefined
  }

  /** Until the gateway is surely gone and its successor can answer; at least 1 s. */
  get retryAfterSeconds (): number {
    return Math.max(1, ((this.#endsAtMs ?? 0) - this.#clock.nowMs()) / 1e3)
  }

  start (): void {
    if (this.draining) return
    this.#endsAtMs = this.#clock.nowMs() + this.#timeoutMs
    this.#onStart()
  }
}
