import type { CostModel } from './cost-model.js'
import type { Newcomer, Running } from './schedule-entry.js'

export interface RoomOptions {
  /** Tokens of the pool that all slots share; prompts and bounds of the calls that run never add up to more. */
  readonly kvTokens?: number
  /** Uncached prompt tokens that may be in prefill at a time. */
  readonly prefillTokens?: number
}

type Next = Pick<Newcomer, 'work' | 'prefillTokens' | 'long'>

/**
 * Whether there is room at upstream beside the places: in the unified KV pool, where all running calls fail together when it is full (L13), and in the prefill lane, since
 * prompts are evaluated one after the other and running k of them at once only freezes who decodes (L6). A call too large for either runs when nothing else is in its way. One
 * that is fed in chunks keeps nobody out of the lane, and waits for its turns elsewhere.
 */
export function hasRoom (next: Next, running: Iterable<Running>, { kvTokens = Infinity, prefillTokens = Infinity }: RoomOptions, costs: CostModel): boolean {
  if (kvTokens === Infinity && prefillTokens === Infinity) return true
  let pool = poolTokens(next, costs)
  let prefill = next.prefillTokens
  let others = 0
  let inPrefill = 0
  for (const each of running) {
    others++
    pool += poolTokens(each, costs)
    if (each.firstByteAtMs !== undefined || each.long) continue
    inPrefill++
    prefill += each.prefillTokens
  }
  return (others === 0 || pool <= kvTokens) && (inPrefill === 0 || next.long || prefill <= prefillTokens)
}

function poolTokens ({ work }: Next, costs: CostModel): number {
  return costs.promptTokens(work) + work.maxTokens
}

/** Whether a caller has places left of those that it may hold; with all of them taken it waits without keeping others from theirs. @param width places that the call takes */
export function mayStart ({ caller, maxPlaces }: Pick<Newcomer, 'caller' | 'maxPlaces'>, width: number, running: Iterable<Running>): boolean {
  if (maxPlaces === Infinity) return true
  let held = 0
  for (const each of running) if (each.caller === caller && each.ending !== true) held += each.places
  return held === 0 || held + width <= maxPlaces
}
