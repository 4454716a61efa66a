import type { Clock } from '../policies/contract.js'

/** Most that it goes on between two turns of the event loop, milliseconds. */
const MOST_MS = 1

/**
 * A clock for tests on which a stall of the machine takes no time: it goes on by a millisecond a turn of the event loop at most. So what is due in 50 ms comes after
 * everything that was on its way when they began, and no verdict depends on how soon this process was given a CPU again.
 */
export class TurnClock implements Clock {
  #nowMs = 0
  #lastHandle = 0
  readonly #timers = new Map<number, { readonly dueAtMs: number, readonly fn: () => void }>()

  constructor () {
    let lastMs = performance.now()
    setInterval(() => {
      const ms = performance.now()
      this.#nowMs += Math.min(ms - lastMs, MOST_MS)
      lastMs = ms
      this.#run()
    }, MOST_MS).unref()
  }

  nowMs (): number { return this.#nowMs }

  setTimeout (fn: () => void, delayMs: number): number {
    this.#timers.set(++this.#lastHandle, { dueAtMs: this.#nowMs + Math.max(0, delayMs), fn })
    return this.#lastHandle
  }

  clearTimeout (handle: unknown): void {
    if (typeof handle === 'number') this.#timers.delete(handle)
  }

  #run (): void {
    const due = [...this.#timers].filter(([, { dueAtMs }]) => dueAtMs <= this.#nowMs).sort((a, b) => a[1].dueAtMs - b[1].dueAtMs || a[0] - b[0])
    for (const [handle, { fn }] of due) if (this.#timers.delete(handle)) fn()
  }
}
