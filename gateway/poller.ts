import type { BackendLoad } from '../policies/backend-port.js'
import type { Clock } from '../policies/contract.js'
import type { SlotSeen, SlotsReading } from '../policies/slot-table.js'
import type { LoadReader, LoadReading } from './release.js'
import type { Fetched, UpstreamGet } from './upstream-get.js'

/** An answer of a route that costs llama-server a turn of its task queue. */
export interface Reading extends Fetched {
  readonly askedAtMs: number
  readonly atMs: number
}

/**
 * The only reader of llama-server's `/metrics` and `/slots`. Polled faster than 1 Hz they starve the notice of clients
 * that left (L8), so whoever asks meanwhile gets the last answer, or waits for the next turn.
 */
export class Poller implements LoadReader {
  readonly #get: UpstreamGet
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #last = new Map<string, Reading>()
  readonly #asking = new Map<string, Promise<Reading>>()
  #lastAskedAtMs = -Infinity
  #load: BackendLoad | undefined
  #loadPath: '/metrics' | '/slots' = '/metrics'

  /** @param intervalMs shortest time between two readings, milliseconds */
  constructor (get: UpstreamGet, clock: Clock, intervalMs: number) {
    this.#get = get
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  /** The latest reading of the load; undefined when there was none. */
  get load (): BackendLoad | undefined {
    return this.#load
  }

  /** The last answer while it is younger than the interval, else a new one. Rejects when llama-server does not answer. */
  async read (path: '/metrics' | '/slots'): Promise<Reading> {
    const last = this.#last.get(path)
    if (last !== undefined && this.#clock.nowMs() - last.atMs < this.#intervalMs) return last
    return await (this.#asking.get(path) ?? this.#ask(path))
  }

  async readLoad (): Promise<LoadReading | 'gone' | 'no answer'> {
    await this.#turn()
    let reading: Reading
    try {
      reading = await this.#ask(this.#loadPath)
    } catch (error) {
      return Reflect.get(Object(error), 'code') === 'ECONNREFUSED' ? 'gone' : 'no answer'
    }
    const load = loadIn(reading, this.#loadPath)
    if (load !== undefined) {
      this.#load = load
      return { ...load, askedAtMs: reading.askedAtMs }
    }
    // 503: it loads its model, and answers later.
    if (reading.status === 503) return 'no answer'
    if (this.#loadPath === '/slots') throw new Error('neither /metrics nor /slots can be read on this llama-server')
    this.#loadPath = '/slots'
    return await this.readLoad()
  }

  /** Undefined when `/slots` cannot be read on this server (`--no-slots`, another one), or not yet. Rejects when llama-server does not answer. */
  async readSlots (): Promise<SlotsReading | undefined> {
    await this.#turn()
    const reading = await this.#ask('/slots')
    const slots = reading.status === 200 ? slotsIn(reading.body) : undefined
    return slots === undefined ? undefined : { slots, askedAtMs: reading.askedAtMs, atMs: reading.atMs }
  }

  /** Resolves when the next reading may be asked for; it must be asked at once. */
  async #turn (): Promise<void> {
    for (;;) {
      const waitMs = this.#lastAskedAtMs + this.#intervalMs - this.#clock.nowMs()
      if (waitMs <= 0) return
      await new Promise<void>(resolve => { this.#clock.setTimeout(resolve, waitMs) })
    }
  }

  async #ask (path: '/metrics' | '/slots'): Promise<Reading> {
    const askedAtMs = this.#clock.nowMs()
    this.#lastAskedAtMs = askedAtMs
    const asking = this.#get.get(path).then(fetched => ({ ...fetched, askedAtMs, atMs: this.#clock.nowMs() }))
    this.#asking.set(path, asking)
    try {
      const reading = await asking
      this.#last.set(path, reading)
      return reading
    } finally {
      this.#asking.delete(path)
    }
  }
}

function loadIn (reading: Reading, path: '/metrics' | '/slots'): BackendLoad | undefined {
  if (reading.status !== 200) return undefined
  if (path === '/metrics') {
    const processing = gauge(reading.body, 'requests_processing')
    return processing === undefined ? undefined : { processing, deferred: gauge(reading.body, 'requests_deferred') ?? 0, atMs: reading.atMs }
  }
  const slots = slotsIn(reading.body)
  return slots === undefined ? undefined : { processing: slots.filter(({ busy }) => busy).length, deferred: 0, atMs: reading.atMs }
}

/** @throws SyntaxError when it is not JSON */
function slotsIn (text: string): SlotSeen[] | undefined {
  const parsed: unknown = JSON.parse(text)
  if (!Array.isArray(parsed)) return undefined
  return parsed.map((slot: unknown, index) => {
    const { id, id_task: taskId, is_processing: busy } = Object(slot) as { id?: unknown, id_task?: unknown, is_processing?: unknown }
    return { id: typeof id === 'number' ? id : index, busy: busy === true, ...(typeof taskId === 'number' ? { taskId } : {}) }
  })
}

/** A number of llama-server's `/metrics`; undefined where it does not have it. */
export function gauge (text: string, name: string): number | undefined {
  const found = new RegExp(`^llamacpp:${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
