import type { Account, CostModel, Done, Work } from './cost-model.js'
import { chargeOf } from './fair-share.js'
import type { Interval } from './forecast-errors.js'
import type { Orderable } from './order.js'
import type { Ask, ScheduleEvent } from './schedule-events.js'
import type { Placed } from './slot-table.js'

/** A call before anything was predicted of it. */
export interface Newcomer extends Orderable, Placed {
  readonly places: number
  readonly sinceMs: number
  readonly maxPlaces: number
  /** Its prompt is fed in chunks. */
  readonly long: boolean
  readonly work: Work
  /** On the time from `sinceMs` to its first byte and to its end, milliseconds; Infinity when there is none. */
  readonly ttftLimitMs: number
  readonly finishLimitMs: number
  /** Calls in the line when it arrived. */
  readonly depth: number
  readonly identity?: () => string
}

/** A call that waits. Predictions are those of its arrival, and count from it. */
export interface Entry extends Newcomer {
  readonly predictedWaitMs: number
  readonly predictedFirstByteMs: number
  readonly predictedFinishMs: number
  readonly interval?: Interval
  /** It met a server without a free place whose pace was known, so its error says something about predictions under load. */
  readonly teachesMargin: boolean
}

/** A call that holds places. */
export interface Running extends Entry {
  readonly startedAtMs: number
  /** Places taken at its start, its own included. */
  readonly company: number
  /** Place-milliseconds taken in all when it started, and when its first byte came: their growth ÷ time is its company meanwhile. */
  readonly placeMsAtStart: number
  /** Absent when the first byte was told late: then its company is that of the whole call. */
  placeMsAtFirstByte?: number
  firstByteAtMs?: number
  leftAtMs?: number
  /** Its last token is on its way, and its places are the next call's. */
  ending?: boolean
  /** Milliseconds in which its prompt stood still for others. */
  pausedMs?: number
}

export const NOTHING_KNOWN: Ask = { caller: '', weight: 1, priority: 0, bodyBytes: 0, maxTokens: Infinity }

/**
 * @param limitMs of the configuration on the time to the first byte; a call's own may be shorter
 * @param depth calls in the line now
 */
export function newcomer ({ id, places, atMs, sinceMs, ask = NOTHING_KNOWN }: Extract<ScheduleEvent, { type: 'arrive' }>, limitMs: number, depth: number, costs: CostModel): Newcomer {
  const { caller, weight, priority, maxPlaces = Infinity, nameable = false, feedable = false, prompt, reusesNothing = false, promptTokens, bodyBytes, maxTokens, finishLimitMs = Infinity, identity } = ask
  const work = { bodyBytes, maxTokens, ...(promptTokens === undefined ? {} : { promptTokens }) }
  const prefillTokens = costs.prefillTokens(work)
  const charge = chargeOf(prefillTokens, costs.outputTokens(work))
  const ttftLimitMs = Math.min(limitMs, ask.ttftLimitMs ?? Infinity)
  const named = nameable && places === 1
  return { id, places, atMs, sinceMs, work, prefillTokens, charge, caller, weight, priority, maxPlaces, nameable: named, long: named && feedable, ...(prompt === undefined ? {} : { prompt }), reusesNothing, ttftLimitMs, finishLimitMs, depth, ...(identity === undefined ? {} : { identity }) }
}

/** How long a call may wait in the line at most, whatever is predicted. */
export function patienceMs ({ ttftLimitMs, finishLimitMs }: Pick<Newcomer, 'ttftLimitMs' | 'finishLimitMs'>, maxWaitMs: number): number {
  return Math.min(maxWaitMs, ttftLimitMs, finishLimitMs)
}

/** What a call that ended says of costs. A prompt that stood still for others took no longer by it. */
export function doneOf (entry: Running, firstByteAtMs: number, placeMs: number, account: Account | undefined, atMs: number): Done {
  const { work, startedAtMs, pausedMs = 0 } = entry
  return { work, firstByteMs: firstByteAtMs - startedAtMs - pausedMs, restMs: atMs - firstByteAtMs, ...companyOf(entry, placeMs, atMs), atMs, ...(account === undefined ? {} : { account }) }
}

/** Places taken on average until the first byte of a call, and from there until now, at its release. */
function companyOf (entry: Running, placeMs: number, atMs: number): { readonly firstByteCompany: number, readonly restCompany: number } {
  const { startedAtMs, firstByteAtMs = atMs, placeMsAtStart, placeMsAtFirstByte, company } = entry
  const mean = (growth: number, ms: number): number => ms > 0 ? growth / ms : company
  if (placeMsAtFirstByte === undefined) {
    const whole = mean(placeMs - placeMsAtStart, atMs - startedAtMs)
    return { firstByteCompany: whole, restCompany: whole }
  }
  return { firstByteCompany: mean(placeMsAtFirstByte - placeMsAtStart, firstByteAtMs - startedAtMs), restCompany: mean(placeMs - placeMsAtFirstByte, atMs - firstByteAtMs) }
}
