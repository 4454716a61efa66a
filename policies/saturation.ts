import type { Ask, RefusalReason } from './schedule-events.js'

/** The line in front of the places, and the wait that is predicted for whoever joins it, milliseconds. */
export interface LineNow {
  readonly places: number
  readonly taken: number
  readonly queued: number
  readonly predictedWaitMs: number
}

/**
 * Whether a call that comes now would be refused because of those before it. What a limit leaves room for depends on the call, so it is learned from the calls that came: it holds from
 * one that was refused until the line is shorter than it was then, or until another one was let in behind as long a line.
 */
export class Saturation {
  readonly #maxQueued: number
  #refusedAtMs = Infinity

  /** @param maxQueued of the line */
  constructor (maxQueued: number) {
    this.#maxQueued = maxQueued
  }

  /** @param predictedWaitMs of the line as the call found it @param refused why it was refused at once; absent: it was let in */
  arrived (predictedWaitMs: number, { ttftLimitMs, finishLimitMs, maxPlaces }: Pick<Ask, 'ttftLimitMs' | 'finishLimitMs' | 'maxPlaces'>, refused?: RefusalReason): void {
    if (refused === undefined) {
      if (predictedWaitMs >= this.#refusedAtMs) this.#refusedAtMs = Infinity
      return
    }
    if (refused !== 'queue-full' && refused !== 'deadline') return
    // Limits of its own say nothing of other calls.
    if (ttftLimitMs !== undefined || finishLimitMs !== undefined || maxPlaces !== undefined) return
    this.#refusedAtMs = predictedWaitMs
  }

  holds ({ places, taken, queued, predictedWaitMs }: LineNow): boolean {
    return taken >= places && (queued >= this.#maxQueued || (queued > 0 && predictedWaitMs >= this.#refusedAtMs))
  }
}
