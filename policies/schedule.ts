import { AdaptiveLimit } from './adaptive-limit.js'
import { Balance } from './balance.js'
import { CostModel, type Account, type SavedCosts, type Work } from './cost-model.js'
import { FairShare, chargeOf } from './fair-share.js'
import { ForecastErrors } from './forecast-errors.js'
import { Held } from './held.js'
import { Margin } from './margin.js'
import { inOrder, type OrderOptions } from './order.js'
import { Outlook } from './outlook.js'
import { Pace } from './pace.js'
import { Preemption } from './preemption.js'
import { Returns } from './returns.js'
import { hasRoom, mayStart } from './room.js'
import { doneOf, newcomer, patienceMs, type Entry, type Newcomer, type Running } from './schedule-entry.js'
import type { Ask, Effect, RefusalReason, ScheduleEvent } from './schedule-events.js'
import { AS_THEY_CAME, MAX_RETRY_AFTER_MS, SAFETY, type ScheduleOptions } from './schedule-options.js'
import { SlotTable, nextWakeMs } from './slot-table.js'
import { startEffect } from './start-effect.js'

export type { ScheduleOptions } from './schedule-options.js'

/**
 * Who may start, who waits, who is refused: pure, events in and effects out. A call of p places starts when p places are free, and the first in the line blocks the
 * others, so that a wide call is not starved. The line is bounded by predicted wait, not by its length: it must be short enough for a limit to be met, and non-empty so
 * that no slot idles.
 */
export class Schedule {
  readonly #options: ScheduleOptions
  readonly #order: OrderOptions
  readonly #pace = new Pace()
  readonly #costs = new CostModel()
  readonly #outlook = new Outlook(this.#costs, this.#pace)
  readonly #errors = new ForecastErrors()
  readonly #margin = new Margin(SAFETY.firstShare, SAFETY.quantile)
  readonly #share = new FairShare()
  readonly #returns: Returns
  /** Absent where lengths are not balanced, and when the limit is the number of slots. */
  readonly #balance: Balance | undefined
  readonly #adaptive: AdaptiveLimit | undefined
  readonly #running = new Map<string, Running>()
  readonly #slots: SlotTable
  readonly preemption: Preemption
  #waiting: Entry[] = []
  readonly #held = new Held()
  #places: number
  #draining = false
  #atMs = 0

  constructor (options: ScheduleOptions) {
    this.#options = options
    this.#order = { ...AS_THEY_CAME, ...options }
    this.#slots = new SlotTable(options.slotStrategy)
    this.#places = options.places
    this.#returns = new Returns(this.#order, options.maxRetryAfterMs ?? MAX_RETRY_AFTER_MS)
    this.preemption = new Preemption(this.#costs, options.preemptiblePrefill)
    if (options.balance === true) this.#balance = new Balance()
    if (options.limit === 'adaptive') this.#adaptive = new AdaptiveLimit(options.places)
  }

  get places (): number { return this.#places }
  get taken (): number { return this.#held.taken }
  /** Most places that calls may have at upstream now: more than there are while some are at their last token. */
  get mostAtUpstream (): number { return this.#places + this.#held.ending }
  get queued (): number { return this.#waiting.length }
  /** What was learned of what calls cost, to be kept over a restart. */
  get costs (): SavedCosts { return this.#costs.toJson() }
  get returnGauges (): Returns['gauges'] { return this.#returns.gauges }

  /** Wait predicted for a call of one place that arrives now, at the end of the line. */
  get predictedWaitMs (): number { return this.#waitBehind(this.#waiting, 1, this.#atMs) }

  /** Where a call stands in the line (1: it is next), and how long it is expected to wait still; undefined when it does not wait. */
  standing (id: string, atMs: number): { readonly position: number, readonly waitMs: number } | undefined {
    const line = inOrder(this.#waiting, this.#order, this.#share, atMs)
    const index = line.findIndex(entry => entry.id === id)
    const entry = line[index]
    return entry === undefined ? undefined : { position: index + 1, waitMs: this.#waitBehind(line.slice(0, index), entry.places, atMs) }
  }

  /** Measured milliseconds between two released places under saturation, or the best guess; undefined before any release. */
  get releaseIntervalMs (): number | undefined { return this.#pace.intervalMs(this.#places) }

  /** When a call that waits for a busy slot is to start in another one, or a chunk may go: a `tick` is wanted then. Undefined when none is due. */
  get wakeAtMs (): number | undefined { return this.preemption.wakeAtMs(nextWakeMs(this.#waiting, this.#atMs)) }

  /** How long a call with these limits of its own may wait in the line at most, whatever is predicted. */
  patienceMs ({ ttftLimitMs = Infinity, finishLimitMs = Infinity }: Pick<Ask, 'ttftLimitMs' | 'finishLimitMs'> = {}): number {
    return patienceMs({ ttftLimitMs: Math.min(ttftLimitMs, this.#ttftLimitMs), finishLimitMs }, this.#options.maxWaitMs)
  }

  /** Takes costs that were learned in an earlier life of the gateway, of the same model and build. */
  restore (costs: SavedCosts, atMs: number): void { this.#costs.restore(costs, atMs) }

  /** Another model answers from now on. */
  forgetCosts (): void { this.#costs.forget() }

  on (event: ScheduleEvent): readonly Effect[] {
    this.#held.advance(event.atMs - this.#atMs)
    this.#atMs = Math.max(this.#atMs, event.atMs)
    this.#pace.advance(event.atMs, this.#saturated)
    this.preemption.advance(event.atMs)
    const effects = this.#handle(event)
    const chunks = this.preemption.next(this.#running, event.atMs)
    return chunks.length === 0 ? effects : [...effects, ...chunks]
  }

  #handle (event: ScheduleEvent): readonly Effect[] {
    switch (event.type) {
      case 'arrive': return this.#arrive(event)
      case 'leave': this.#leave(event.id, event.atMs); break
      case 'firstByte': this.#firstByte(event.id, event.firstByteAtMs, event.atMs); break
      case 'lastToken': this.#held.handOver(this.#running.get(event.id)); break
      case 'released': this.#release(event.id, event.atMs, event.account); break
      case 'resize': this.#adaptive?.resize(event.places); this.#places = this.#adaptive?.limit ?? event.places; break
      case 'slots': this.#slots.see(event.reading); break
      case 'chunk': this.preemption.chunkOver(event.id, event.evaluatedTokens, event.tookMs, event.atMs); break
      case 'whole': this.preemption.end(event.id, event.atMs, 'other'); break
      case 'tick': return [...this.#expire(event.atMs), ...this.#fill(event.atMs)]
      case 'drain': this.#draining = true; return this.#takeOut(() => true).map(entry => this.#dismiss(entry, 'draining', event.atMs))
    }
    return this.#fill(event.atMs)
  }

  get #saturated (): boolean { return this.#held.taken + this.#held.ending >= this.#places || this.#waiting.length > 0 }
  #widthOf (places: number): number { return Math.min(Math.max(1, places), this.#places) }
  get #ttftLimitMs (): number { return this.#options.ttftLimitMs ?? Infinity }

  /** Wait of a call of this width behind these; 0 while nothing is known. */
  #waitBehind (line: ReadonlyArray<Pick<Entry, 'places' | 'work'>>, places: number, atMs: number): number {
    return this.#outlook.waitMs(line, places, { places: this.#places, taken: this.#held.taken, running: this.#running.values() }, atMs)
  }

  /** What a call takes of all places. */
  #costMs ({ places, work }: Newcomer): number { return this.#serviceMs(work) * this.#widthOf(places) / this.#places }
  #serviceMs (work: Work): number { return this.#outlook.serviceMs(work, this.#places) }

  #arrive (event: Extract<ScheduleEvent, { type: 'arrive' }>): readonly Effect[] {
    const { atMs } = event
    this.#returns.advance(atMs)
    const own = newcomer(event, this.#ttftLimitMs, this.#waiting.length, this.#costs)
    this.#balance?.offer(own.prefillTokens)
    const line = inOrder<Newcomer>([...this.#waiting, own], this.#order, this.#share, atMs)
    const before = line.slice(0, line.indexOf(own)).filter(entry => this.preemption.hasLane(entry, this.#places))
    const width = this.#widthOf(own.places)
    const startsNow = before.length === 0 && this.#held.taken + width <= this.#places && this.#hasRoom(own) && this.preemption.hasLane(own, this.#places) && mayStart(own, width, this.#running.values())
    const company = startsNow ? this.#held.taken + width : this.#places
    const predictedWaitMs = Math.max(this.#waitBehind(before, own.places, atMs), this.#outlook.ownBoundMs(own, before, this.#running.values(), this.#places, atMs), this.preemption.laneMs(line, own, this.#places, atMs))
    const predictedFirstByteMs = predictedWaitMs + this.preemption.firstByteMs(own, company, atMs)
    const teachesMargin = this.#pace.measured && (!startsNow || company >= this.#places)
    const predictedFinishMs = predictedWaitMs + this.#serviceMs(own.work)
    const entry = { ...own, predictedWaitMs, predictedFirstByteMs, predictedFinishMs, teachesMargin }
    if (this.#draining) return [this.#refuse(entry, 503, 'draining', atMs)]
    const reason = this.#objection(entry, startsNow)
    if (reason !== undefined) return [this.#refuse(entry, 429, reason, atMs)]
    const interval = this.#errors.interval(predictedFirstByteMs, own.depth)
    this.#returns.letIn(entry, atMs)
    this.#balance?.serve(own.prefillTokens)
    this.#share.arrive(entry.caller, atMs, entry.charge / entry.weight)
    this.#waiting.push(interval === undefined ? entry : { ...entry, interval })
    return this.#fill(atMs)
  }

  #objection (entry: Entry, startsNow: boolean): RefusalReason | undefined {
    const { maxQueued, maxWaitMs } = this.#options
    if (!startsNow) {
      if (this.#waiting.length >= Math.min(maxQueued, this.#unmeasuredBound)) return 'queue-full'
      if (entry.predictedWaitMs > maxWaitMs || this.#returns.holdBack(entry, entry.predictedWaitMs + this.#costMs(entry), entry.atMs)) return 'queue-full'
    }
    // An idle server always gets the call: nothing else could correct a wrong estimate.
    if (this.#held.taken === 0) return undefined
    const sinceMs = entry.atMs - entry.sinceMs
    const firstByteMs = startsNow
      ? this.#costs.cautious(this.preemption.firstByteMs(entry, this.#held.taken + this.#widthOf(entry.places), entry.atMs))
      : entry.predictedFirstByteMs + this.#marginMs(entry)
    if (sinceMs + firstByteMs > entry.ttftLimitMs || sinceMs + entry.predictedFinishMs > entry.finishLimitMs) return 'deadline'
    // Who starts at once keeps nobody waiting, and with two places free nobody stands in anybody's way; who comes when it was told to was promised a place.
    const isBalanced = this.#balance === undefined || startsNow || this.#held.taken + this.#waiting.length < this.#places - 1 || this.#returns.isDue(entry, entry.atMs)
    return !isBalanced && this.#balance.turnsAway(entry.prefillTokens) ? 'balance' : undefined
  }

  #marginMs ({ ttftLimitMs }: Entry): number { return ttftLimitMs === Infinity ? 0 : this.#margin.ms(ttftLimitMs) }
  /** Before saturation was measured a prediction is a guess, and the line is bounded by its length as well. */
  get #unmeasuredBound (): number {
    if (this.#pace.measured) return Infinity
    return this.#places * (this.#options.ttftLimitMs === undefined ? 8 : 1)
  }

  #fill (atMs: number): Effect[] {
    const effects: Effect[] = []
    while (this.#waiting.length > 0 && this.#held.taken < this.#places) {
      const head = inOrder(this.#waiting, this.#order, this.#share, atMs).find(entry => this.#mayStart(entry, atMs))
      if (head === undefined) break
      const taken = this.#held.taken + this.#widthOf(head.places)
      if (taken > this.#places || !this.#hasRoom(head)) break
      this.#takeOut(entry => entry === head)
      // Those behind it start at once beside it, as far as there are places.
      const company = Math.min(this.#places, taken + this.#waiting.length)
      effects.push(this.#isHopeless(head, company, atMs) ? this.#dismiss(head, 'deadline', atMs) : this.#start(head, taken, atMs))
    }
    return effects
  }

  /** A call that waited and would miss its limits if it started now; on an idle server it may try. */
  #isHopeless (entry: Entry, company: number, atMs: number): boolean {
    if (this.#held.taken === 0 || atMs === entry.atMs) return false
    const waitedMs = atMs - entry.sinceMs
    return waitedMs + this.preemption.firstByteMs(entry, company, atMs) > entry.ttftLimitMs || waitedMs + this.#serviceMs(entry.work) > entry.finishLimitMs
  }

  /** Nobody else has to wait with one that still may not. */
  #mayStart (entry: Entry, atMs: number): boolean {
    return this.preemption.hasLane(entry, this.#places) && mayStart(entry, this.#widthOf(entry.places), this.#running.values()) && !this.#awaitsSlot(entry, atMs)
  }

  #awaitsSlot (entry: Entry, atMs: number): boolean {
    return this.#slots.awaits(entry, id => this.#outlook.leftMs(this.#running.get(id), this.#places, atMs), this.#costs.msPerPromptToken(this.#places, atMs), atMs)
  }

  #hasRoom (next: Newcomer): boolean { return hasRoom(next, this.#running.values(), this.#options, this.#costs) }

  /** Takes entries out of the line and gives them back. */
  #takeOut (which: (entry: Entry) => boolean): readonly Entry[] {
    const out = this.#waiting.filter(which)
    if (out.length > 0) this.#waiting = this.#waiting.filter(entry => !which(entry))
    return out
  }

  #start (entry: Entry, taken: number, atMs: number): Effect {
    const places = taken - this.#held.taken
    const [slot, predictedCachedTokens] = [this.#slots.start(entry, places, atMs), this.#slots.predictedTokens(entry.id)]
    this.#held.take(places)
    const work = { ...entry.work, ...(predictedCachedTokens === undefined ? {} : { cachedTokens: predictedCachedTokens }) }
    this.#running.set(entry.id, { ...entry, work, places, startedAtMs: atMs, company: taken, placeMsAtStart: this.#held.placeMs })
    this.#share.charge(entry.caller, entry.weight, entry.charge)
    const feeds = this.preemption.start(entry, slot, predictedCachedTokens ?? 0, atMs)
    return startEffect(entry, { places, slot, feeds, predictedCachedTokens, overlaps: this.#held.beyond(this.#places), atMs })
  }

  #expire (atMs: number): Effect[] {
    const { maxWaitMs } = this.#options
    return this.#takeOut(entry => atMs - entry.atMs >= patienceMs(entry, maxWaitMs)).map(entry => this.#dismiss(entry, patienceMs(entry, maxWaitMs) < maxWaitMs ? 'deadline' : 'queue-timeout', atMs))
  }

  /** Refuses a call that was in the line. */
  #dismiss (entry: Entry, reason: RefusalReason, atMs: number): Effect {
    this.#neverStarts(entry, atMs)
    return this.#refuse(entry, 503, reason, atMs)
  }

  #neverStarts (entry: Entry, atMs: number): void {
    this.#share.gone(entry.caller, atMs)
    this.#balance?.unserve(entry.prefillTokens)
  }

  #leave (id: string, atMs: number): void {
    const running = this.#running.get(id)
    if (running !== undefined) running.leftAtMs = atMs
    for (const entry of this.#takeOut(entry => entry.id === id)) this.#neverStarts(entry, atMs)
  }

  #firstByte (id: string, firstByteAtMs: number, atMs: number): void {
    const entry = this.#running.get(id)
    if (entry === undefined || entry.firstByteAtMs !== undefined) return
    entry.firstByteAtMs = firstByteAtMs
    this.preemption.end(id, firstByteAtMs, 'first-byte')
    if (atMs <= firstByteAtMs) entry.placeMsAtFirstByte = this.#held.placeMs
    if (firstByteAtMs - entry.sinceMs > entry.ttftLimitMs) this.#balance?.unserve(entry.prefillTokens)
    if (entry.predictedFirstByteMs > 0) this.#errors.sample(entry.predictedFirstByteMs, firstByteAtMs - entry.atMs, entry.depth, entry.interval)
    if (entry.teachesMargin) this.#margin.sample(firstByteAtMs - entry.atMs - entry.predictedFirstByteMs)
  }

  #release (id: string, atMs: number, account: Account | undefined): void {
    const entry = this.#running.get(id)
    if (entry === undefined) return
    const { startedAtMs, firstByteAtMs, company } = entry
    this.#pace.released(entry.places, atMs - startedAtMs, this.#saturated, company >= this.#places)
    if (firstByteAtMs !== undefined) {
      const done = doneOf(entry, firstByteAtMs, this.#held.placeMs, account, atMs)
      this.#costs.learn(done)
      if (account !== undefined && account.outputTokens > 1) this.#adaptive?.onSample(Math.round(done.restCompany), done.restMs / account.outputTokens)
      if (this.#adaptive !== undefined) this.#places = this.#adaptive.limit
    }
    if (account !== undefined) this.#share.charge(entry.caller, entry.weight, chargeOf(account.evaluatedTokens, account.outputTokens) - entry.charge)
    this.#share.gone(entry.caller, atMs)
    this.preemption.end(id, atMs, 'other')
    this.#slots.release(id, entry.leftAtMs !== undefined, account, atMs)
    this.#running.delete(id)
    this.#held.free(entry)
  }

  #refuse (entry: Entry, status: 429 | 503, reason: RefusalReason, atMs: number): Effect {
    const firstByteMs = this.preemption.firstByteMs(entry, this.#places, atMs) + this.#marginMs(entry)
    const spareMs = Math.max(0, Math.min(this.#options.maxWaitMs, entry.ttftLimitMs - firstByteMs, entry.finishLimitMs - this.#serviceMs(entry.work)))
    const met = { backlogMs: this.#waitBehind(this.#waiting, entry.places, atMs), spareMs, costMs: this.#costMs(entry), releaseIntervalMs: this.releaseIntervalMs }
    return { type: 'refuse', id: entry.id, status, reason, retryAfterMs: this.#returns.tell(reason, entry, met, atMs), queueWaitMs: atMs - entry.atMs, predictedWaitMs: entry.predictedWaitMs, expected: this.#returns.gauges.appointments }
  }
}
