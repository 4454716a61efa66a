import type { FakeStats } from './fake-server.js'

interface Waiter { readonly condition: (stats: FakeStats) => boolean, readonly resolve: () => void }

/** Those who wait for the stats to become so. */
export class Watch {
  #waiters = new Set<Waiter>()

  constructor (readonly stats: () => FakeStats) {}

  changed (): void {
    if (this.#waiters.size === 0) return
    const stats = this.stats()
    for (const waiter of this.#waiters) if (waiter.condition(stats)) waiter.resolve()
  }

  until (condition: (stats: FakeStats) => boolean, timeoutMs: number): Promise<void> {
    if (condition(this.stats())) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { condition, resolve: () => { settle(); resolve() } }
      const timer = setTimeout(() => {
        settle()
        reject(new Error(`fake llama-server: waited ${timeoutMs} ms for ${condition.toString()}; the stats are ${JSON.stringify(this.stats())}`))
      }, timeoutMs)
      const settle = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      this.#waiters.add(waiter)
    })
  }
}
