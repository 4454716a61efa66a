import type { Clock, PolicyLogger } from '../policies/contract.js'
import { gauge } from './poller.js'
import type { Poller } from './poller.js'

export interface WatchdogOptions {
  readonly clock: Clock
  readonly reader: Pick<Poller, 'read'>
  readonly log: PolicyLogger
  /** Calls that upstream works on. */
  readonly running: () => number
  /** Without a sign of work for this long, milliseconds, llama-server counts as stalled. Longer than its longest batch takes: within one it shows none. */
  readonly stallMs: number
}

/** Looks within `stallMs`: llama-server answers between two batches only, so one look that fails says nothing. */
const looks = 4

/**
 * Tells a llama-server that hangs from one that evaluates a long prompt (L21): `/health` is 200 in both. A sign of work is a byte of any answer, or, where none comes, a growing number of
 * batches in `/metrics` (what `/slots` says of its slots, where there are no metrics). Asked only while calls run and no byte came for a while.
 */
export class Watchdog {
  readonly #options: WatchdogOptions
  #progressAtMs = -Infinity
  #signature: string | undefined
  #stalledAtMs: number | undefined
  #timer: unknown
  #watching = false

  constructor (options: WatchdogOptions) {
    this.#options = options
  }

  /** A call goes to upstream. */
  sent (): void {
    if (this.#watching) return
    this.#watching = true
    // What happened before there was anything to do does not count.
    this.progress()
    this.#signature = undefined
    this.#lookIn(this.#intervalMs)
  }

  /** Bytes came from upstream. */
  progress (atMs = this.#options.clock.nowMs()): void {
    this.#progressAtMs = atMs
  }

  /** Milliseconds for which nothing has moved; undefined while llama-server works or has nothing to do. */
  get stalledMs (): number | undefined {
    return this.#stalledAtMs === undefined || this.#progressAtMs > this.#stalledAtMs ? undefined : this.#options.clock.nowMs() - this.#progressAtMs
  }

  close (): void {
    this.#watching = false
    this.#options.clock.clearTimeout(this.#timer)
  }

  get #intervalMs (): number {
    return this.#options.stallMs / looks
  }

  #lookIn (delayMs: number): void {
    this.#timer = this.#options.clock.setTimeout(() => { this.#look().catch(() => {}) }, delayMs)
  }

  async #look (): Promise<void> {
    const { clock, log, running, stallMs } = this.#options
    if (running() === 0) {
      this.#watching = false
      this.#stalledAtMs = undefined
      return
    }
    const silentMs = clock.nowMs() - this.#progressAtMs
    if (silentMs >= this.#intervalMs && await this.#works()) this.progress()
    if (!this.#watching) return
    const nowMs = clock.nowMs()
    if (this.#stalledAtMs !== undefined && this.#progressAtMs > this.#stalledAtMs) {
      this.#stalledAtMs = undefined
      log.info({ running: running() }, 'llama-server works again')
    } else if (this.#stalledAtMs === undefined && nowMs - this.#progressAtMs >= stallMs) {
      this.#stalledAtMs = nowMs
      log.warn({ running: running(), silentMs: Math.round(nowMs - this.#progressAtMs) }, 'llama-server has calls and shows no progress: no byte of an answer, no batch; it may hang, and a restart is what helps then')
    }
    this.#lookIn(this.#intervalMs)
  }

  /** Whether it did something since the last look. The first look of a watch has nothing to compare with, and counts as none. */
  async #works (): Promise<boolean> {
    const signature = await this.#signatureNow().catch(() => undefined)
    if (signature === undefined) return false
    const before = this.#signature
    this.#signature = signature
    return before !== undefined && before !== signature
  }

  async #signatureNow (): Promise<string | undefined> {
    const { reader } = this.#options
    const metrics = await reader.read('/metrics')
    const batches = metrics.status === 200 ? gauge(metrics.body, 'n_decode_total') : undefined
    if (batches !== undefined) return String(batches)
    const slots = await reader.read('/slots')
    return slots.status === 200 ? slots.body : undefined
  }
}
