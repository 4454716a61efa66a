import { FirstByte } from './first-byte.js'
import { Margin } from './margin.js'
import { Pace } from './pace.js'
import type { Effect, RefusalReason, ScheduleEvent } from './schedule-events.js'

export interface ScheduleOptions {
  readonly places: number
  /** Longest wait for a place, milliseconds; a longer predicted one is refused at arrival, a longer real one when it is over. */
  readonly maxWaitMs: number
  /** Limit on the time from arrival to the first byte, milliseconds. */
  readonly ttftLimitMs?: number
  readonly maxQueued: number
}

interface Entry {
  readonly id: string
  readonly places: number
  readonly atMs: number
  readonly sinceMs: number
  readonly predictedWaitMs: number
  readonly predictedFirstByteMs: number
  startedAtMs: number
  /** Places taken at its start, its own included. */
  takenAtStart: number
  /** It met a server without a free place whose pace was known, so its error says something about predictions under load. */
  readonly teachesMargin: boolean
}

/** Share of the limit kept back until errors of prediction are measured, and the quantile of them that is kept back then. */
const SAFETY = { firstShare: 0.15, quantile: 0.95 }
const RETRY_MS = { min: 1_000, max: 120_000 }

/**
 * Who may start, who waits, who is refused: pure, events in and effects out. FIFO; a call of p places starts when p places
 * are free, and the first in the line blocks the others, so that a wide call is not starved. The line is bounded by
 * predicted wait, not by its length: it must be short enough for a limit to be met, and non-empty so that no slot idles.
 */
export class Schedule {
  readonly #options: ScheduleOptions
  readonly #pace = new Pace()
  readonly #firstByte = new FirstByte()
  readonly #margin: Margin
  readonly #running = new Map<string, Entry>()
  #waiting: Entry[] = []
  #places: number
  #taken = 0
  #draining = false
  #atMs = 0

  constructor (options: ScheduleOptions) {
    this.#options = options
    this.#places = options.places
    this.#margin = new Margin(options.ttftLimitMs ?? 0, SAFETY.firstShare, SAFETY.quantile)
  }

  get places (): number { return this.#places }
  get taken (): number { return this.#taken }
  get queued (): number { return this.#waiting.length }

  /** Wait predicted for a call of one place that arrives now. */
  get predictedWaitMs (): number { return this.#predictWaitMs(1, this.#atMs) }

  /** Measured milliseconds between two released places under saturation, or the best guess; undefined before any release. */
  get releaseIntervalMs (): number | undefined { return this.#pace.intervalMs(this.#places) }

  /** How long a call may wait in the line at most, whatever is predicted. */
  get patienceMs (): number { return Math.min(this.#options.maxWaitMs, this.#options.ttftLimitMs ?? Infinity) }

  on (event: ScheduleEvent): readonly Effect[] {
    this.#atMs = event.atMs
    this.#pace.advance(event.atMs, this.#saturated)
    switch (event.type) {
      case 'arrive': return this.#arrive(event)
      case 'leave': this.#waiting = this.#waiting.filter(entry => entry.id !== event.id); break
      case 'firstByte': this.#learn(event.id, event.firstByteAtMs); return []
      case 'released': this.#release(event.id, event.atMs); break
      case 'resize': this.#places = event.places; break
      case 'tick': return [...this.#expire(event.atMs), ...this.#fill(event.atMs)]
      case 'drain': {
        this.#draining = true
        const refused = this.#waiting
        this.#waiting = []
        return refused.map(entry => this.#refuse(entry, 503, 'draining', event.atMs))
      }
    }
    return this.#fill(event.atMs)
  }

  get #saturated (): boolean { return this.#taken >= this.#places || this.#waiting.length > 0 }

  #widthOf (places: number): number { return Math.min(Math.max(1, places), this.#places) }

  /**
   * Wait of a call of this width that would arrive now: the line is played forward on the running calls, each released one service
   * time after its start. llama-server works in common batches, so calls that start together end together, and a mean interval
   * between releases would be wrong by up to a service time; 0 while nothing is known.
   */
  #predictWaitMs (places: number, atMs: number): number {
    const serviceMs = this.#pace.serviceMs
    const widths = [...this.#waiting.map(entry => this.#widthOf(entry.places)), this.#widthOf(places)]
    let free = this.#places - this.#taken
    if (this.#waiting.length === 0 && free >= this.#widthOf(places)) return 0
    if (serviceMs === undefined) return 0
    const releases = [...this.#running.values()].map(entry => ({ atMs: expectedRelease(entry.startedAtMs, serviceMs, atMs), places: entry.places })).sort((a, b) => a.atMs - b.atMs)
    let startMs = atMs
    for (const width of widths) {
      while (free < width) {
        const next = releases.shift()
        if (next === undefined) return startMs - atMs
        startMs = Math.max(startMs, next.atMs)
        free += next.places
      }
      free -= width
      releases.push({ atMs: startMs + serviceMs, places: width })
      releases.sort((a, b) => a.atMs - b.atMs)
    }
    return startMs - atMs
  }

  #arrive ({ id, places, atMs, sinceMs }: Extract<ScheduleEvent, { type: 'arrive' }>): readonly Effect[] {
    const predictedWaitMs = this.#predictWaitMs(places, atMs)
    const startsNow = this.#waiting.length === 0 && this.#taken + this.#widthOf(places) <= this.#places
    const company = startsNow ? this.#taken + this.#widthOf(places) : this.#places
    const entry: Entry = {
      id,
      places,
      atMs,
      sinceMs,
      predictedWaitMs,
      predictedFirstByteMs: predictedWaitMs + this.#firstByte.estimateMs(company, atMs),
      startedAtMs: atMs,
      takenAtStart: 0,
      teachesMargin: this.#pace.measured && (!startsNow || company >= this.#places)
    }
    if (this.#draining) return [this.#refuse(entry, 503, 'draining', atMs)]
    const reason = this.#objection(entry, startsNow)
    if (reason !== undefined) return [this.#refuse(entry, 429, reason, atMs)]
    this.#waiting.push(entry)
    return this.#fill(atMs)
  }

  #objection (entry: Entry, startsNow: boolean): RefusalReason | undefined {
    const { maxQueued, maxWaitMs, ttftLimitMs } = this.#options
    if (!startsNow) {
      if (this.#waiting.length >= Math.min(maxQueued, this.#unmeasuredBound)) return 'queue-full'
      if (entry.predictedWaitMs > maxWaitMs) return 'queue-full'
    }
    // An idle server always gets the call: nothing else could correct a wrong estimate.
    if (ttftLimitMs === undefined || this.#taken === 0) return undefined
    const cautiousMs = startsNow
      ? this.#firstByte.cautiousMs(this.#taken + this.#widthOf(entry.places), entry.atMs)
      : entry.predictedFirstByteMs + this.#margin.ms
    return entry.atMs - entry.sinceMs + cautiousMs > ttftLimitMs ? 'deadline' : undefined
  }

  /** Before saturation was measured a prediction is a guess, and the line is bounded by its length as well. */
  get #unmeasuredBound (): number {
    if (this.#pace.measured) return Infinity
    return this.#places * (this.#options.ttftLimitMs === undefined ? 8 : 1)
  }

  #fill (atMs: number): Effect[] {
    const effects: Effect[] = []
    for (let head = this.#waiting[0]; head !== undefined; head = this.#waiting[0]) {
      const taken = this.#taken + this.#widthOf(head.places)
      if (taken > this.#places) break
      this.#waiting.shift()
      const { ttftLimitMs } = this.#options
      const hopeless = ttftLimitMs !== undefined && this.#taken > 0 && atMs > head.atMs &&
        atMs - head.sinceMs + this.#firstByte.estimateMs(taken, atMs) > ttftLimitMs
      effects.push(hopeless ? this.#refuse(head, 503, 'deadline', atMs) : this.#start(head, taken, atMs))
    }
    return effects
  }

  #start (entry: Entry, taken: number, atMs: number): Effect {
    const places = taken - this.#taken
    this.#taken = taken
    this.#running.set(entry.id, { ...entry, places, startedAtMs: atMs, takenAtStart: taken })
    return { type: 'start', id: entry.id, places, queueWaitMs: atMs - entry.atMs, predictedWaitMs: entry.predictedWaitMs }
  }

  #expire (atMs: number): Effect[] {
    const expired = this.#waiting.filter(entry => atMs - entry.atMs >= this.patienceMs)
    this.#waiting = this.#waiting.filter(entry => atMs - entry.atMs < this.patienceMs)
    const reason = this.patienceMs < this.#options.maxWaitMs ? 'deadline' : 'queue-timeout'
    return expired.map(entry => this.#refuse(entry, 503, reason, atMs))
  }

  #release (id: string, atMs: number): void {
    const entry = this.#running.get(id)
    if (entry === undefined) return
    this.#pace.released(entry.places, atMs - entry.startedAtMs, this.#saturated, entry.takenAtStart >= this.#places)
    this.#running.delete(id)
    this.#taken -= entry.places
  }

  #learn (id: string, firstByteAtMs: number): void {
    const entry = this.#running.get(id)
    if (entry === undefined) return
    this.#firstByte.sample(entry.takenAtStart, firstByteAtMs - entry.startedAtMs, firstByteAtMs)
    if (entry.teachesMargin) this.#margin.sample(firstByteAtMs - entry.atMs - entry.predictedFirstByteMs)
  }

  #refuse (entry: Entry, status: 429 | 503, reason: RefusalReason, atMs: number): Effect {
    const { maxWaitMs, ttftLimitMs } = this.#options
    const backlogMs = this.#predictWaitMs(entry.places, atMs)
    const startLimitMs = ttftLimitMs === undefined
      ? Infinity
      : ttftLimitMs - this.#firstByte.estimateMs(this.#places, atMs) - this.#margin.ms
    // A draining gateway is gone when its backlog is: the next one is asked then.
    const tooLongMs = reason === 'draining' ? backlogMs : backlogMs - Math.max(0, Math.min(maxWaitMs, startLimitMs))
    const untilMs = Math.max(tooLongMs, this.releaseIntervalMs ?? 0)
    return {
      type: 'refuse',
      id: entry.id,
      status,
      reason,
      retryAfterMs: Math.min(RETRY_MS.max, Math.max(RETRY_MS.min, untilMs)),
      queueWaitMs: atMs - entry.atMs,
      predictedWaitMs: entry.predictedWaitMs
    }
  }
}

/** An overdue call is expected to need as long again as it is overdue, so that a server that stalls is noticed at once. */
function expectedRelease (startedAtMs: number, serviceMs: number, atMs: number): number {
  const dueAtMs = startedAtMs + serviceMs
  return dueAtMs >= atMs ? dueAtMs : atMs + (atMs - dueAtMs)
}
