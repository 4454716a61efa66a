import type { Engine } from './engine.js'
import type { FakeClock } from './options.js'

/** Lets the engine's steps take their time, or holds it so that a test steps it by hand. */
export class Pace {
  #held: boolean
  #timer: unknown
  #immediate: NodeJS.Immediate | undefined
  #dueAtMs = 0

  constructor (readonly engine: Engine, readonly clock: FakeClock, held: boolean, readonly stepped: () => void) {
    this.#held = held
  }

  /** To be called after every change that may give the engine work. */
  kick (): void {
    if (this.#held || this.engine.stepping) return
    this.#dueAtMs = this.clock.nowMs()
    this.#begin()
  }

  /** The step that runs, if any, ends at once; then time stands still. */
  hold (): void {
    this.#held = true
    this.clock.clearTimeout(this.#timer)
    clearImmediate(this.#immediate)
    this.engine.end()
    this.stepped()
  }

  release (): void {
    if (!this.#held) return
    this.#held = false
    this.kick()
  }

  /**
   * One decode call at once: honours cancels, prefills up to a batch, gives each decoding slot a token. Only while held.
   * @returns false when there was nothing to do.
   */
  step (): boolean {
    if (!this.#held) throw new Error('fake llama-server: step() works only while it is held; start it with `manual: true` or call hold() first')
    if (this.engine.begin() === undefined) return false
    this.engine.end()
    this.stepped()
    return true
  }

  #begin (): void {
    const durationMs = this.engine.begin()
    if (durationMs === undefined) return
    const end = () => {
      this.engine.end()
      if (!this.#held) this.#begin()
      this.stepped()
    }
    // Due times add up without the timers' lateness, so that the speed is the one that was asked for.
    this.#dueAtMs += durationMs
    if (durationMs === 0) this.#immediate = setImmediate(end)
    else this.#timer = this.clock.setTimeout(end, Math.max(this.#dueAtMs - this.clock.nowMs(), 0))
  }
}
