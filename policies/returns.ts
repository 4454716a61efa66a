import { Appointments, type Appointment } from './appointments.js'
import type { OrderOptions } from './order.js'
import { retryAfterMs } from './retry-after.js'
import type { Entry, Newcomer } from './schedule-entry.js'
import type { RefusalReason } from './schedule-events.js'

/** The server as a refused call meets it, milliseconds. */
export interface Met {
  /** Wait behind the whole line. */
  readonly backlogMs: number
  /** How long the call could wait and keep its limits. */
  readonly spareMs: number
  /** What it will take of all places; 0 while nothing is known. */
  readonly costMs: number
  /** Between two places that become free; undefined while not known. */
  readonly releaseIntervalMs: number | undefined
}

/** When refused clients are told to come back, and what is kept free for them then. */
export class Returns {
  readonly #appointments = new Appointments()
  readonly #order: Pick<OrderOptions, 'priority' | 'fair'>
  readonly #maxMs: number

  /** @param maxMs longest time that a client is told */
  constructor (order: Pick<OrderOptions, 'priority' | 'fair'>, maxMs: number) {
    this.#order = order
    this.#maxMs = maxMs
  }

  get gauges (): { readonly appointments: number, readonly appointmentsKeptShare: number } {
    return { appointments: this.#appointments.size, appointmentsKeptShare: this.#appointments.keptShare }
  }

  advance (atMs: number): void { this.#appointments.advance(atMs) }

  /**
   * Whether a call that would stand in the line must leave room for those who were told to come back. Who comes when it was told to need not; callers that take turns (`fair`), and better
   * classes, do not stand back for others' appointments, as they would not in the line.
   * @param loadMs work in front of those who will come, its own included
   */
  holdBack (newcomer: Newcomer, loadMs: number, atMs: number): boolean {
    if (this.#appointments.size === 0) return false
    const own = this.#of(newcomer)
    if (isDue(own, atMs)) return false
    const { priority, fair } = this.#order
    return this.#appointments.wouldBreak(loadMs, atMs, each => each !== own && !(priority && newcomer.priority < each.priority) && !(fair && newcomer.caller !== each.caller))
  }

  /** Whether it comes when it was told to. */
  isDue (newcomer: Newcomer, atMs: number): boolean {
    return isDue(this.#of(newcomer), atMs)
  }

  /** A call was let in: who had an appointment needs it no more. */
  letIn (newcomer: Newcomer, atMs: number): void {
    const own = this.#of(newcomer)
    if (own !== undefined) this.#appointments.strike(own, atMs)
  }

  /** Milliseconds until a refused call should come again; where its identity is known, it has an appointment then. */
  tell (reason: RefusalReason, entry: Entry, { backlogMs, spareMs, costMs, releaseIntervalMs }: Met, atMs: number): number {
    const usualMs = retryAfterMs(reason, backlogMs, spareMs, this.#maxMs, releaseIntervalMs)
    const identity = entry.identity?.()
    if (reason === 'draining' || identity === undefined || !(costMs > 0)) return usualMs
    const kept = this.#appointments.find(identity)
    if (kept !== undefined && kept.dueAtMs > atMs) return Math.ceil((kept.dueAtMs - atMs) / 1000) * 1000
    if (kept !== undefined) this.#appointments.strike(kept, atMs)
    const { caller, priority } = entry
    return this.#appointments.book({ identity, caller, priority, costMs, spareMs }, backlogMs, atMs, this.#maxMs) ?? this.#maxMs
  }

  #of ({ identity }: Newcomer): Appointment | undefined {
    return this.#appointments.size === 0 || identity === undefined ? undefined : this.#appointments.find(identity())
  }
}

function isDue (own: Appointment | undefined, atMs: number): boolean {
  return own !== undefined && own.dueAtMs <= atMs
}
