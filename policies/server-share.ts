import type { Way } from './batch-gain.js'

/** A call while it is at upstream, or waits for a place there. */
export interface Sharer {
  readonly way: Way
  /** Of its inputs (`lengthOf`): ways are compared within a length. */
  readonly length: number
  /** Slots that it has at a time, whatever it holds of admission's places. */
  readonly places: number
  readonly inputs: number
  /** Monotonic milliseconds at which it went upstream; undefined while it waits for a place. */
  readonly sentAtMs: () => number | undefined
}

interface Entry extends Sharer {
  sinceMs: number | undefined
  sentMs: number
  pure: boolean
}

/**
 * What of the server's time each call took: time at which n places are taken counts an n-th for each of them. The times of calls themselves say nothing of that, since
 * four at a time take as long each as one that does the work of all.
 */
export class ServerShare {
  readonly #entries = new Map<Sharer, Entry>()
  /** Of one place, since the beginning. */
  #shareMs = 0
  #atMs = 0

  get size (): number { return this.#entries.size }
  get inputs (): number { return [...this.#entries.values()].reduce((sum, { inputs }) => sum + inputs, 0) }

  enter (sharer: Sharer, nowMs: number): void {
    this.#advance(nowMs)
    const others = [...this.#entries.values()].filter(({ way, length }) => way !== sharer.way && length === sharer.length)
    for (const other of others) other.pure = false
    this.#entries.set(sharer, { ...sharer, sinceMs: undefined, sentMs: nowMs, pure: others.length === 0 })
  }

  /**
   * @returns milliseconds of the server; undefined where they say nothing: beside calls of its length that went the other way, never sent, or so much by itself that the
   * server had nothing to do while its answer was under way. Calls of other lengths are company that both ways have alike; they bear a part of what a way saves or costs, so that
   * beside them the two ways look more alike than they are.
   */
  leave (sharer: Sharer, nowMs: number): number | undefined {
    this.#advance(nowMs)
    const entry = this.#entries.get(sharer)
    this.#entries.delete(sharer)
    if (entry?.sinceMs === undefined || !entry.pure) return undefined
    const ms = (this.#shareMs - entry.sinceMs) * entry.places
    const company = entry.places * (nowMs - entry.sentMs) / ms
    return company >= LEAST_COMPANY ? ms : undefined
  }

  /** Calls that went upstream since the last look did so at different times, each of which changes the shares. */
  #advance (nowMs: number): void {
    const sent = [...this.#entries.values()].flatMap(entry => {
      const atMs = entry.sinceMs === undefined ? entry.sentAtMs() : undefined
      return atMs === undefined ? [] : [{ entry, atMs }]
    }).sort((a, b) => a.atMs - b.atMs)
    for (const { entry, atMs } of sent) {
      this.#pass(atMs)
      entry.sinceMs = this.#shareMs
      entry.sentMs = atMs
    }
    this.#pass(nowMs)
  }

  #pass (untilMs: number): void {
    let places = 0
    for (const entry of this.#entries.values()) if (entry.sinceMs !== undefined) places += entry.places
    if (places > 0) this.#shareMs += Math.max(0, untilMs - this.#atMs) / places
    this.#atMs = Math.max(this.#atMs, untilMs)
  }
}

const LEAST_COMPANY = 1.5
