import { Schedule } from './schedule.js'
import type { ScheduleOptions } from './schedule.js'
import { NOTHING_KNOWN } from './schedule-entry.js'
import type { Account } from './cost-model.js'
import type { ChunkEffect } from './long-prefills.js'
import type { Ask, Effect, StartEffect } from './schedule-events.js'
import type { SlotSeen } from './slot-table.js'

/** Seeded uniform numbers in [0, 1) (mulberry32). */
export function seededRandom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export interface TrafficOptions extends ScheduleOptions {
  readonly seed: number
  readonly arrivalsPerSecond: number
  readonly durationMs: number
  /** Chance of an arrival to be one, by its time; default 1: arrivals at a rate that changes. */
  readonly chance?: (atMs: number) => number
  /** What refused clients do, once each; default: they do not come back. `told`: when they were told to; a number: after so many milliseconds. */
  readonly comeBack?: 'told' | number
}

export interface SimulatedCall {
  readonly arrivedAtMs: number
  readonly refused?: string
  readonly retryAfterMs?: number
  readonly startedAtMs?: number
  readonly firstByteAtMs?: number
  readonly overAtMs?: number
  /** Longest time between two of its tokens. */
  readonly longestGapMs?: number
  readonly caller?: string
  /** Its second try: the index of the first. */
  readonly triedAs?: number
  /** As predicted at its arrival, milliseconds from there. */
  readonly predicted?: { readonly ttftMs: number, readonly lowMs?: number, readonly highMs?: number }
}

function ownIdentity (index: number): () => string {
  return () => String(index)
}

/** Poisson arrivals at a schedule, and what it does with them. A simulated server says when to go on and what is over. */
export class Traffic {
  readonly random: () => number
  readonly schedule: Schedule
  readonly calls: SimulatedCall[] = []
  readonly #options: TrafficOptions
  readonly #start: (call: number, effect: StartEffect) => void
  readonly #chunk: (call: number, effect: ChunkEffect) => void
  #nextAtMs: number
  /** Who comes back, by time. */
  readonly #returns: Array<{ readonly atMs: number, readonly call: number }> = []
  readonly #asks = new Map<number, { readonly places: number, readonly ask: Ask | undefined }>()

  /**
   * @param start the schedule lets the call with this index in
   * @param chunk it lets a chunk of its prompt go
   */
  constructor (options: TrafficOptions, start: (call: number, effect: StartEffect) => void, chunk: (call: number, effect: ChunkEffect) => void = () => undefined) {
    this.random = seededRandom(options.seed)
    this.schedule = new Schedule(options)
    this.#options = options
    this.#start = start
    this.#chunk = chunk
    this.#nextAtMs = this.#gapMs()
  }

  /** When the next call arrives; Infinity when no more do. */
  get nextAtMs (): number {
    return Math.min(this.#nextNewAtMs, this.#returns[0]?.atMs ?? Infinity)
  }

  /** Of those that come for the first time. */
  get #nextNewAtMs (): number {
    return this.#nextAtMs < this.#options.durationMs ? this.#nextAtMs : Infinity
  }

  /** The next call arrives. */
  arrive (places = 1, ask?: Ask): void {
    const back = this.#returns[0]
    if (back !== undefined && back.atMs <= this.#nextNewAtMs) {
      this.#returns.shift()
      const first = this.#asks.get(back.call)
      this.#send(back.atMs, first?.places ?? 1, first?.ask, back.call)
      return
    }
    this.#send(this.#nextAtMs, places, this.#options.comeBack === undefined ? ask : { ...NOTHING_KNOWN, ...ask, identity: ownIdentity(this.calls.length) })
    do this.#nextAtMs += this.#gapMs()
    while (this.#options.chance !== undefined && this.random() >= this.#options.chance(this.#nextAtMs))
  }

  #send (atMs: number, places: number, ask: Ask | undefined, triedAs?: number): void {
    const index = this.calls.length
    this.calls.push({ arrivedAtMs: atMs, ...(ask === undefined ? {} : { caller: ask.caller }), ...(triedAs === undefined ? {} : { triedAs }) })
    this.#asks.set(index, { places, ask })
    this.#apply(this.schedule.on({ type: 'arrive', id: String(index), places, atMs, sinceMs: atMs, ...(ask === undefined ? {} : { ask }) }), atMs)
  }

  #comesBack (call: number, atMs: number, toldMs: number): void {
    const { comeBack } = this.#options
    if (comeBack === undefined || this.calls[call]?.triedAs !== undefined) return
    this.#returns.push({ atMs: atMs + (comeBack === 'told' ? Math.ceil(toldMs / 1000) * 1000 : comeBack), call })
    this.#returns.sort((a, b) => a.atMs - b.atMs)
  }

  /** Told when it comes; else at the end. */
  firstByte (call: number, firstByteAtMs: number): void {
    this.#apply(this.schedule.on({ type: 'firstByte', id: String(call), firstByteAtMs, atMs: firstByteAtMs }), firstByteAtMs)
  }

  /** Of what it may have at most. */
  lastToken (call: number, atMs: number): void {
    this.#apply(this.schedule.on({ type: 'lastToken', id: String(call), atMs }), atMs)
  }

  chunkOver (call: number, evaluatedTokens: number, tookMs: number, atMs: number): void {
    this.#apply(this.schedule.on({ type: 'chunk', id: String(call), evaluatedTokens, tookMs, atMs }), atMs)
  }

  tick (atMs: number): void {
    this.#apply(this.schedule.on({ type: 'tick', atMs }), atMs)
  }

  /** What llama-server says of its slots. */
  see (slots: readonly SlotSeen[], atMs: number): void {
    this.#apply(this.schedule.on({ type: 'slots', reading: { slots, askedAtMs: atMs, atMs }, atMs }), atMs)
  }

  over (call: number, firstByteAtMs: number, atMs: number, account?: Account, longestGapMs?: number): void {
    this.#change(call, { firstByteAtMs, overAtMs: atMs, ...(longestGapMs === undefined ? {} : { longestGapMs }) })
    this.#apply(this.schedule.on({ type: 'firstByte', id: String(call), firstByteAtMs, atMs }), atMs)
    this.#apply(this.schedule.on({ type: 'released', id: String(call), atMs, ...(account === undefined ? {} : { account }) }), atMs)
  }

  #apply (effects: readonly Effect[], atMs: number): void {
    for (const effect of effects) {
      const call = Number(effect.id)
      if (effect.type === 'chunk') this.#chunk(call, effect)
      else if (effect.type === 'refuse') {
        this.#change(call, { refused: effect.reason, retryAfterMs: effect.retryAfterMs })
        this.#comesBack(call, atMs, effect.retryAfterMs)
      } else {
        const { predictedTtftMs: ttftMs, predictedTtftLowMs: lowMs, predictedTtftHighMs: highMs } = effect
        this.#change(call, { startedAtMs: atMs, predicted: { ttftMs, ...(lowMs === undefined || highMs === undefined ? {} : { lowMs, highMs }) } })
        this.#start(call, effect)
      }
    }
  }

  #change (index: number, what: Partial<SimulatedCall>): void {
    const call = this.calls[index]
    if (call === undefined) throw new Error(`effect for the unknown call ${index}`)
    this.calls[index] = { ...call, ...what }
  }

  #gapMs (): number {
    return -Math.log(1 - this.random()) / this.#options.arrivalsPerSecond * 1000
  }
}
