import type { Backend } from './backend-port.js'
import type { Clock } from './contract.js'
import { FRESH_MS, type SlotsReading } from './slot-table.js'

/** Time between two readings while calls run, milliseconds: half of what the backend reads at most, since it reads its load, too (L8). */
const AGAIN_MS = 4_000
/** A reading that saw busy slots says little once they are idle: on a server that none of our calls use the next one is asked after this long, milliseconds. */
const AFTER_BUSY_MS = 2_000
/** Where a reading failed, or `/slots` says nothing, the next is tried after this long, milliseconds. */
const AFTER_FAILURE_MS = 30_000
/** A call that finds no fresh reading waits so long for one, milliseconds; an idle server answers in one or two. */
const PATIENCE_MS = 200

/** Keeps the readings of llama-server's slots fresh while calls run; asks nothing of an idle server, which may want to sleep (L17). */
export class SlotWatch {
  readonly #backend: Backend
  readonly #clock: Clock
  readonly #isBusy: () => boolean
  readonly #onReading: (reading: SlotsReading) => void
  /** An idle server is not asked before. */
  #askAgainAtMs = -Infinity
  #asking: Promise<void> | undefined
  #timer: unknown
  #stopped = false

  /**
   * @param isBusy whether calls run
   * @param onReading gets each reading
   */
  constructor (backend: Backend, clock: Clock, isBusy: () => boolean, onReading: (reading: SlotsReading) => void) {
    this.#backend = backend
    this.#clock = clock
    this.#isBusy = isBusy
    this.#onReading = onReading
  }

  /** Before a call on a server that none of our calls use: resolves when there is a fresh reading, or soon after without one. Never rejects. */
  async fresh (): Promise<void> {
    if (this.#isBusy() || this.#clock.nowMs() < this.#askAgainAtMs) return
    const reading = this.#read()
    let timer: unknown
    await Promise.race([reading, new Promise<void>(resolve => { timer = this.#clock.setTimeout(resolve, PATIENCE_MS) })])
    this.#clock.clearTimeout(timer)
  }

  /** Asks no more. */
  stop (): void {
    this.#stopped = true
    this.#clock.clearTimeout(this.#timer)
  }

  async #read (): Promise<void> {
    this.#asking ??= this.#ask().finally(() => { this.#asking = undefined })
    await this.#asking
  }

  async #ask (): Promise<void> {
    const reading = await this.#backend.readSlots().catch(() => undefined)
    this.#askAgainAtMs = this.#clock.nowMs() + holdsMs(reading)
    if (reading !== undefined) this.#onReading(reading)
    this.#clock.clearTimeout(this.#timer)
    if (!this.#stopped) this.#timer = this.#clock.setTimeout(() => { if (this.#isBusy()) this.#read().catch(() => undefined) }, AGAIN_MS)
  }
}

function holdsMs (reading: SlotsReading | undefined): number {
  if (reading === undefined) return AFTER_FAILURE_MS
  return reading.slots.some(({ busy }) => busy) ? AFTER_BUSY_MS : FRESH_MS / 2
}
