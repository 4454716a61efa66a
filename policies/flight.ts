import { Readable } from 'node:stream'
import { askOf } from './ask.js'
import type { Answer, Call, Clock, Outcome } from './contract.js'
import { deferred, type Deferred } from './deferred.js'
import { FanOut, type Seat } from './fan-out.js'
import { LeaveSignal } from './leave-signal.js'
import { relayOf } from './relay-body.js'
import { gaveUpWaiting, idempotencyKeyOf, retryCountOf } from './retry.js'

export interface FlightOptions {
  readonly clock: Clock
  readonly maxBehindBytes: number
  readonly retryGraceMs: number
  /** Told when nobody can board any more; may be told again. */
  readonly onClosed: () => void
}

/** One call that waits for the answer. */
interface Passenger {
  readonly call: Call
  /** Undefined: it is the first one's alone, and the others ask for themselves. */
  readonly answered: Deferred<Answer | undefined>
  readonly onLeave: () => void
  /** Ends its reading of a body that is under way. @param released when upstream is free of what it read */
  leaveBody?: (released: Promise<void>) => void
}

/**
 * One call at upstream, and all that wait for its answer. It is the call of none of them: it has a signal of its own, so any may leave, the first one, too. Upstream is
 * told that nobody waits when the last one left.
 *
 * What is shared is an answer of upstream about this body: a 200, or a 4xx without a reason of ours. A refusal or a fault (5xx, none at all) says something of the moment
 * and of how urgent the first call was: only that one gets it.
 */
export class Flight {
  readonly leader: Call
  /** What goes upstream: the first call under the flight's own signal. */
  readonly call: Call
  readonly deterministic: boolean
  readonly startedAtMs: number
  readonly #options: FlightOptions
  readonly #signal = new LeaveSignal()
  readonly #passengers = new Set<Passenger>()
  #answer: Answer | undefined
  #fanOut: FanOut | undefined
  #firstByteAtMs: number | undefined
  #graceTimer: unknown
  #retried = false
  #isOver = false
  #closed = false

  /** @param deterministic it has but one answer: everybody may have it, not only a retry */
  constructor (leader: Call, deterministic: boolean, options: FlightOptions) {
    this.leader = leader
    this.call = Object.create(leader, { signal: { value: this.#signal, enumerable: true }, progress: { value: undefined, enumerable: true, writable: true } }) as Call
    this.deterministic = deterministic
    this.#options = options
    this.startedAtMs = options.clock.nowMs()
  }

  get sentBytes (): number { return this.#fanOut?.sentBytes ?? 0 }
  get aboard (): number { return this.#passengers.size }

  /** Whether this call, the same as the first, may have this answer. */
  admits (call: Call): boolean {
    return !this.#closed && (this.#fanOut?.joinable ?? true) && (this.deterministic ? this.#servesInTime(call) : this.isForRetry(call))
  }

  /** Whether this call is another attempt of one that waits here, or waited. */
  isForRetry (call: Call): boolean {
    if (call.caller !== this.leader.caller) return false
    const idempotencyKey = idempotencyKeyOf(call)
    if (idempotencyKey !== undefined && idempotencyKey === idempotencyKeyOf(this.leader)) return true
    return !this.#retried && retryCountOf(call) > retryCountOf(this.leader)
  }

  /** Waits for the answer. Rejects when the call leaves before it is there, and with what upstream threw. */
  async board (call: Call): Promise<Answer | undefined> {
    const passenger: Passenger = { call, answered: deferred(), onLeave: () => { this.#leave(passenger) } }
    this.#endGrace()
    if (call !== this.leader && retryCountOf(call) > 0) this.#retried = true
    this.#passengers.add(passenger)
    call.signal.addEventListener('abort', passenger.onLeave, { once: true })
    if (this.#answer !== undefined) this.#serve(passenger, this.#answer)
    if (this.#isOver) this.#close()
    return await passenger.answered.promise
  }

  /** Upstream answered. */
  answered (answer: Answer): void {
    const { body } = answer
    if (answer.reason !== undefined || answer.status >= 500) {
      this.#settleAlone(({ answered }, mine) => { answered.resolve(mine ? answer : undefined) })
      return
    }
    this.#answer = answer
    // Who is about to try again finds even what has come to its end meanwhile.
    answer.over.then(() => {
      this.#isOver = true
      if (this.#graceTimer === undefined) this.#close()
    })
    if (body instanceof Readable) this.#fanOut = new FanOut(relayOf(body), { maxBytes: this.#options.maxBehindBytes, onFirstByte: () => { this.#firstByteAtMs = this.#options.clock.nowMs() } })
    for (const passenger of [...this.#passengers]) this.#serve(passenger, answer)
    this.#fanOut?.start()
  }

  /** Upstream, or a policy in front of it, threw. */
  failed (error: unknown): void {
    this.#settleAlone(({ answered }, mine) => {
      if (mine) answered.reject(error)
      else answered.resolve(undefined)
    })
  }

  /** What came is the first call's, or that of the last one that left; the others ask for themselves. */
  #settleAlone (settle: (passenger: Passenger, mine: boolean) => void): void {
    this.#close()
    for (const passenger of [...this.#passengers]) {
      this.#part(passenger)
      settle(passenger, passenger.call === this.leader || this.#signal.aborted)
    }
  }

  /** A call that still waits for its turn gets a place by what its first one asked: nobody more urgent waits behind that. */
  #servesInTime (call: Call): boolean {
    if (this.#answer !== undefined) return true
    const ask = askOf(call)
    const leaders = askOf(this.leader)
    const due = ({ arrivedAtMs }: Call, limitMs: number | undefined): number => arrivedAtMs + (limitMs ?? Infinity)
    return ask.priority >= leaders.priority &&
      due(call, ask.ttftLimitMs) >= due(this.leader, leaders.ttftLimitMs) &&
      due(call, ask.finishLimitMs) >= due(this.leader, leaders.finishLimitMs)
  }

  /** Gives a passenger the answer, of a body under way its own reading. */
  #serve (passenger: Passenger, answer: Answer): void {
    const own = passenger.call === this.leader
    const boardedAtMs = this.#options.clock.nowMs()
    if (this.#fanOut !== undefined) {
      passenger.answered.resolve(this.#reading(passenger, answer, this.#fanOut, own, boardedAtMs))
      return
    }
    this.#part(passenger)
    passenger.answered.resolve(own ? answer : { ...answer, over: answer.over.then(outcome => ofFollower(outcome, outcome.bytes, boardedAtMs)) })
  }

  #reading (passenger: Passenger, answer: Answer, fanOut: FanOut, own: boolean, boardedAtMs: number): Answer {
    const over = deferred<Outcome>()
    const released = deferred<void>()
    const seat: Seat = fanOut.join(how => {
      this.#part(passenger)
      // Not now: who joins what is over already has its end before it has its seat.
      answer.over.then(outcome => { over.resolve(own ? outcome : ofFollower(outcome, seat.bytes, boardedAtMs)) })
      answer.released.then(released.resolve)
      if (how !== 'too slow') return
      over.resolve({ how: 'cut', bytes: seat.bytes, reason: 'slow-reader' })
      released.resolve()
    })
    passenger.leaveBody = free => {
      seat.leave()
      seat.body.fail(new Error('the client left'))
      const firstByteAtMs = this.#firstByteAtMs
      over.resolve({ how: 'left', bytes: seat.bytes, ...(firstByteAtMs === undefined ? {} : { firstByteAtMs: Math.max(boardedAtMs, firstByteAtMs) }) })
      free.then(released.resolve)
    }
    return { ...answer, body: seat.body, over: over.promise, released: released.promise }
  }

  #leave (passenger: Passenger): void {
    const { call } = passenger
    const isLast = this.#passengers.size === 1
    if (isLast && this.#answer === undefined) {
      // Before the headers upstream's own answer to that is the last one's: it knows when upstream let go.
      if (!this.#waitsForRetry(call)) return this.#abandon()
    }
    this.#part(passenger)
    passenger.answered.reject(call.signal.reason)
    passenger.leaveBody?.(isLast && this.#answer !== undefined ? this.#answer.released : Promise.resolve())
    if (isLast && this.#graceTimer === undefined) this.#abandon()
  }

  #waitsForRetry (call: Call): boolean {
    const { clock, retryGraceMs } = this.#options
    if (retryGraceMs === 0 || !gaveUpWaiting(call, clock.nowMs())) return false
    this.#graceTimer = clock.setTimeout(() => {
      this.#graceTimer = undefined
      this.#abandon()
    }, retryGraceMs)
    return true
  }

  #endGrace (): void {
    this.#options.clock.clearTimeout(this.#graceTimer)
    this.#graceTimer = undefined
  }

  #part (passenger: Passenger): void {
    passenger.call.signal.removeEventListener('abort', passenger.onLeave)
    this.#passengers.delete(passenger)
  }

  #abandon (): void {
    this.#close()
    this.#signal.abort()
  }

  #close (): void {
    this.#closed = true
    this.#endGrace()
    this.#options.onClosed()
  }
}

/** Of the same answer for one that came later: llama-server's account of it is the first one's. */
function ofFollower ({ how, reason, firstByteAtMs }: Outcome, bytes: number, boardedAtMs: number): Outcome {
  return {
    how,
    bytes,
    ...(firstByteAtMs === undefined ? {} : { firstByteAtMs: Math.max(firstByteAtMs, boardedAtMs) }),
    ...(reason === undefined ? {} : { reason })
  }
}
