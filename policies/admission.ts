import PQueue from 'p-queue'
import { admissionSchema, withAdmissionDefaults, type AdmissionOptions } from './admission-options.js'
import { loadingRefusal, scheduleRefusal } from './admission-refusals.js'
import { askOf, promptOf } from './ask.js'
import { confirmed } from './confirmed.js'
import type { Answer, Call, Outcome, Policy, PolicyFactory, PolicyInstance, Port } from './contract.js'
import type { Account } from './cost-model.js'
import { identityOf } from './identity.js'
import { LearnedCosts } from './learned-costs.js'
import { lineFor } from './line.js'
import { PromptFeeder, type Fed, type LongPrompt } from './prompt-feeder.js'
import { Saturation } from './saturation.js'
import { Schedule } from './schedule.js'
import type { Effect } from './schedule-events.js'
import { SlotExchange } from './slot-exchange.js'
import { slotStrategyOf, type ActiveStrategy } from './slot-strategy.js'
import { SlotWatch } from './slot-watch.js'
import { Ticket } from './ticket.js'
import { Unanswered } from './unanswered.js'
import { withJson } from './with-json.js'

/**
 * The only holder of places. The schedule decides; a p-queue keeps what waits and runs what is let in. A task there lasts as
 * long as its places are held: until `answer.released`, not until the client has its answer.
 */
class Admission implements PolicyInstance {
  readonly #options: ReturnType<typeof withAdmissionDefaults>
  readonly #port: Port
  readonly #schedule: Schedule
  readonly #learned: LearnedCosts
  readonly #saturation: Saturation
  readonly #tickets = new Map<string, Ticket>()
  readonly #granted: string[] = []
  readonly #queue: PQueue<InstanceType<ReturnType<typeof lineFor>>>
  /** Absent where llama-server chooses the slots. */
  readonly #slotChoice: ActiveStrategy | undefined
  readonly #slotWatch: SlotWatch | undefined
  /** Absent where what loses its slot is lost. */
  readonly #exchange: SlotExchange | undefined
  /** Absent where every prompt goes whole. */
  readonly #feeder: PromptFeeder | undefined
  #wakeTimer: unknown
  #wakesAtMs: number | undefined
  #lastId = 0
  #total: number
  #unconfirmedReleases = 0

  constructor (options: AdmissionOptions, port: Port) {
    this.#options = withAdmissionDefaults(options)
    this.#port = port
    // `auto` learns the real number of places from the first call that finds the backend ready.
    this.#total = this.#totalPlaces ?? 1
    this.#slotChoice = slotStrategyOf(this.#options, port.log)
    this.#schedule = new Schedule({ ...this.#options, places: this.#total, maxRetryAfterMs: this.#options.maxRetryAfterSeconds * 1000, ...(this.#slotChoice === undefined ? {} : { slotStrategy: this.#slotChoice.strategy }) })
    if (this.#slotChoice !== undefined) {
      this.#slotWatch = new SlotWatch(port.backend, port.clock, () => this.#schedule.taken > 0, reading => {
        this.#apply(this.#schedule.on({ type: 'slots', reading, atMs: this.#nowMs }))
      })
    }
    if (this.#options.slotFiles !== undefined && this.#slotChoice !== undefined) this.#exchange = new SlotExchange(port, this.#slotChoice.strategy)
    if (this.#options.preemptiblePrefill !== undefined) this.#feeder = new PromptFeeder(port)
    this.#queue = new PQueue({ concurrency: this.#schedule.places, queueClass: lineFor(this.#granted) })
    this.#learned = new LearnedCosts(admission.name, port, this.#schedule)
    this.#saturation = new Saturation(this.#options.maxQueued)
  }

  readonly run: Policy = async (call, next) => {
    if (this.#slotWatch !== undefined) await this.#slotWatch.fresh()
    call.signal.throwIfAborted()
    const places = this.#totalPlaces
    if (places === undefined) return loadingRefusal()
    this.#learned.recall()
    this.#resize(places)

    const prompt = this.#feeder === undefined || !this.#isLong(call) ? undefined : await this.#promptOf(this.#feeder, call)
    const id = String(++this.#lastId)
    const ticket = new Ticket(id, call, next, this.#schedule.queued, () => this.#leave(id), prompt)
    this.#tickets.set(id, ticket)
    const ask = { ...askOf(call), identity: identityOf(call), ...(this.#slotChoice?.byPrompt === true ? promptOf(call) : {}), feedable: prompt?.tokens !== undefined }
    const { predictedWaitMs } = this.#schedule
    const effects = this.#schedule.on({ type: 'arrive', id, places: call.need.places, atMs: this.#nowMs, sinceMs: call.arrivedAtMs, ask })
    const own = effects.find(effect => effect.id === id)
    this.#saturation.arrived(predictedWaitMs, ask, own?.type === 'refuse' ? own.reason : undefined)
    if (own?.type !== 'refuse') this.#enqueue(ticket, own !== undefined)
    this.#apply(effects)
    if (own === undefined) {
      call.signal.addEventListener('abort', ticket.onLeave, { once: true })
      const patienceMs = this.#schedule.patienceMs(ask)
      const dueAtMs = this.#nowMs + patienceMs
      // Timers fire up to a millisecond early: the tick says when it was due.
      ticket.timer = this.#port.clock.setTimeout(() => this.#apply(this.#schedule.on({ type: 'tick', atMs: Math.max(dueAtMs, this.#nowMs) })), patienceMs)
      if (this.#options.noticeAfterMs !== undefined && call.stream) this.#notifyIn(this.#options.noticeAfterMs, ticket)
    }
    return ticket.answered
  }

  /** Tells a stream that still waits then where it stands, and goes on telling it. */
  #notifyIn (delayMs: number, ticket: Ticket): void {
    ticket.noticeTimer = this.#port.clock.setTimeout(() => {
      const standing = this.#schedule.standing(ticket.id, this.#nowMs)
      if (standing === undefined) return
      ticket.notify(standing.position, standing.waitMs)
      this.#notifyIn(this.#options.noticeEveryMs, ticket)
    }, delayMs)
  }

  /** Puts a call into p-queue; most start at once and need no signal to be taken out again. */
  #enqueue (ticket: Ticket, startsNow: boolean): void {
    const { id } = ticket
    if (!startsNow) ticket.waiting = new AbortController()
    const options = ticket.waiting === undefined ? { id } : { id, signal: ticket.waiting.signal }
    // Rejects only when `waiting` aborts, and then `answered` has been settled already.
    this.#queue.add(() => this.#serve(ticket), options).catch(() => undefined)
  }

  readonly gauges = (): Readonly<Record<string, number>> => {
    const load = this.#port.backend.load()
    return {
      places: this.#schedule.places,
      taken: this.#schedule.taken,
      queued: this.#schedule.queued,
      predictedWaitMs: this.#schedule.predictedWaitMs,
      saturated: Number(this.#saturation.holds(this.#schedule)),
      releaseIntervalMs: this.#schedule.releaseIntervalMs ?? 0,
      unconfirmedReleases: this.#unconfirmedReleases,
      ...this.#schedule.returnGauges,
      ...(this.#feeder === undefined ? {} : { ...this.#schedule.preemption.gauges(this.#nowMs), ...this.#feeder.gauges }),
      ...this.#slotChoice?.gauges(),
      ...this.#exchange?.gauges,
      // Above 0 time and again, upstream queues behind our back: somebody goes around the gateway, or `slots` is too high.
      ...(load === undefined ? {} : { upstreamDeferred: load.deferred })
    }
  }

  readonly drain = (): void => {
    this.#slotWatch?.stop()
    this.#apply(this.#schedule.on({ type: 'drain', atMs: this.#nowMs }))
  }

  /** llama-server has another number of slots than when we asked last. */
  #resize (total: number): void {
    if (total === this.#total) return
    this.#total = total
    this.#apply(this.#schedule.on({ type: 'resize', places: total, atMs: this.#nowMs }))
  }

  /** Undefined: counted it is not long after all. Rejects when the client leaves meanwhile. */
  async #promptOf (feeder: PromptFeeder, call: Call): Promise<LongPrompt | undefined> {
    const prompt = await feeder.promptOf(call, this.#schedule.preemption.chunkTokens(this.#nowMs))
    call.signal.throwIfAborted()
    return this.#isLong(call) ? prompt : undefined
  }

  #isLong (call: Call): boolean { return this.#schedule.preemption.isLong(askOf(call), this.#schedule.places, this.#nowMs) }

  get #nowMs (): number { return this.#port.clock.nowMs() }

  get #totalPlaces (): number | undefined {
    return this.#options.slots === 'auto' ? this.#port.backend.props()?.totalSlots : this.#options.slots
  }

  #apply (effects: readonly Effect[]): void {
    for (const effect of effects) {
      const ticket = this.#tickets.get(effect.id)
      if (ticket === undefined) throw new Error(`admission: the schedule named call ${effect.id}, which has no ticket`)
      if (effect.type === 'chunk') {
        ticket.turn.grant(effect)
        continue
      }
      this.#clearTimers(ticket)
      if (effect.type === 'start') {
        ticket.start = effect
        this.#granted.push(effect.id)
      } else {
        ticket.refuse(scheduleRefusal(effect, ticket.queued))
        this.#discard(ticket)
      }
    }
    this.#wake()
    // Assigning makes p-queue look again at what is granted; it never runs more tasks than may be at upstream.
    if (effects.length > 0 || this.#queue.concurrency !== this.#schedule.mostAtUpstream) this.#queue.concurrency = this.#schedule.mostAtUpstream
  }

  /** Looks again when a call has waited long enough for a busy slot, or a chunk may go. */
  #wake (): void {
    const wakeAtMs = this.#slotChoice === undefined ? undefined : this.#schedule.wakeAtMs
    if (wakeAtMs === this.#wakesAtMs) return
    const { clock } = this.#port
    clock.clearTimeout(this.#wakeTimer)
    this.#wakesAtMs = wakeAtMs
    if (wakeAtMs === undefined) return
    this.#wakeTimer = clock.setTimeout(() => {
      this.#wakesAtMs = undefined
      this.#apply(this.#schedule.on({ type: 'tick', atMs: Math.max(wakeAtMs, this.#nowMs) }))
    }, wakeAtMs - this.#nowMs)
  }

  /** Takes a call that still waits out of the queue. */
  #discard (ticket: Ticket): void {
    this.#tickets.delete(ticket.id)
    this.#clearTimers(ticket)
    ticket.call.signal.removeEventListener('abort', ticket.onLeave)
    ticket.waiting?.abort()
  }

  #clearTimers ({ timer, noticeTimer }: Ticket): void {
    this.#port.clock.clearTimeout(timer)
    this.#port.clock.clearTimeout(noticeTimer)
  }

  #leave (id: string): void {
    const ticket = this.#tickets.get(id)
    if (ticket === undefined || ticket.start !== undefined) return
    ticket.fail(ticket.call.signal.reason)
    this.#discard(ticket)
    this.#apply(this.#schedule.on({ type: 'leave', id, atMs: this.#nowMs }))
  }

  /** The task in p-queue. Never rejects. */
  async #serve (ticket: Ticket): Promise<void> {
    const { id, call } = ticket
    call.signal.removeEventListener('abort', ticket.onLeave)
    let account: Account | undefined
    try {
      // It may have left between its grant and its turn in p-queue.
      call.signal.throwIfAborted()
      const { answer, fed, sentAtMs } = await this.#send(ticket)
      ticket.answer(answer)
      const over = answer.over.then(outcome => { account = this.#over(ticket, answer.status, outcome, sentAtMs, fed) })
      await this.#confirmed(ticket, answer.released, over)
    } catch (error) {
      ticket.fail(error, error instanceof Unanswered ? error.released : undefined)
      if (error instanceof Unanswered) {
        this.#apply(this.#schedule.on({ type: 'leave', id, atMs: this.#nowMs }))
        await this.#confirmed(ticket, error.released, Promise.resolve())
      }
    } finally {
      this.#tickets.delete(id)
      this.#apply(this.#schedule.on({ type: 'released', id, atMs: this.#nowMs, ...(account === undefined ? {} : { account }) }))
    }
  }

  /** Sends the call, and before it, where it is fed, the chunks of its prompt. */
  async #send (ticket: Ticket): Promise<{ readonly answer: Answer, readonly fed?: Fed, readonly sentAtMs: number }> {
    const { id, call, start, prompt } = ticket
    const named = start?.slot === undefined ? call : withJson(call, { ...call.body.json, id_slot: start.slot })
    const overlaps = this.#options.overlap && this.#slotChoice === undefined
    const firstByte = (atMs: number): void => { this.#apply(this.#schedule.on({ type: 'firstByte', id, firstByteAtMs: atMs, atMs })) }
    const lastToken = (atMs: number): void => { this.#apply(this.#schedule.on({ type: 'lastToken', id, atMs })) }
    // On the call itself: `next` may be given another object that delegates to it.
    if (call.stream) call.progress = overlaps ? { firstByte, lastToken } : { firstByte }
    if (start?.slot !== undefined && this.#exchange !== undefined) {
      await this.#exchange.before(id, call, start.slot)
      call.signal.throwIfAborted()
    }
    if (this.#feeder === undefined || prompt?.tokens === undefined || start?.slot === undefined || start.feeds === undefined) {
      return { sentAtMs: this.#nowMs, answer: await ticket.next(named, ticket.reason, ticket.facts) }
    }
    const fed = await this.#feeder.feed(ticket, prompt.tokens, start.slot, ({ evaluatedTokens, tookMs }) => {
      this.#apply(this.#schedule.on({ type: 'chunk', id, evaluatedTokens, tookMs, atMs: this.#nowMs }))
    })
    const sentAtMs = this.#nowMs
    if (fed.answer !== undefined) return { answer: fed.answer, fed, sentAtMs }
    if (fed.missed) this.#apply(this.#schedule.on({ type: 'whole', id, atMs: sentAtMs }))
    const { chunks, fedTokens, pausedMs } = fed
    const answer = await ticket.next(named, fed.missed ? 'whole prompt: not in the cache' : 'rest of the prompt', { ...ticket.facts, chunks, fedTokens, pausedMs })
    return { answer, fed, sentAtMs }
  }

  /** What an answer that is over says of its cost; undefined where it says nothing of the server's speed. */
  #over ({ id, call }: Ticket, status: number, outcome: Outcome, startedAtMs: number, fed: Fed | undefined): Account | undefined {
    const { timings } = outcome
    // Broken off: upstream notices at its next step that nobody waits.
    if (outcome.how === 'left' || outcome.reason !== undefined) this.#apply(this.#schedule.on({ type: 'leave', id, atMs: this.#nowMs }))
    if (status !== 200 || timings === undefined || outcome.how !== 'complete') return undefined
    // The body of an answer that is not streamed starts at its end, so there llama-server's own account is taken.
    if (!call.stream) this.#apply(this.#schedule.on({ type: 'firstByte', id, firstByteAtMs: startedAtMs + timings.prompt_ms, atMs: this.#nowMs }))
    const { prompt_n: evaluated, cache_n: cached = 0, predicted_n: outputTokens } = timings
    if (fed === undefined) return { evaluatedTokens: evaluated, cachedTokens: cached, outputTokens }
    this.#feeder?.check(call, fed, timings.cache_n)
    return { evaluatedTokens: evaluated + fed.evaluatedTokens, cachedTokens: Math.max(0, cached - fed.evaluatedTokens), outputTokens }
  }

  /** Settles when upstream confirmed that it is free, or `releaseTimeoutMs` after the answer was over. */
  #confirmed (ticket: Ticket, released: Promise<void>, over: Promise<void>): Promise<void> {
    const { releaseTimeoutMs } = this.#options
    return confirmed(this.#port.clock, releaseTimeoutMs, released, over, () => {
      this.#unconfirmedReleases++
      this.#port.log.warn({ id: ticket.call.id, releaseTimeoutMs }, 'upstream did not confirm that it let go of a call; its place is given back')
    })
  }
}

/** Holds the places at upstream: who starts, who waits, who is refused. */
export const admission: PolicyFactory<AdmissionOptions> = {
  name: 'admission',
  schema: admissionSchema,
  create: (options, port) => new Admission(options, port)
}
