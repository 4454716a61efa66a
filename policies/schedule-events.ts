import type { Account } from './cost-model.js'
import type { ChunkEffect } from './long-prefills.js'
import type { SlotsReading } from './slot-table.js'

/** What is known of a call before it runs, and what it may ask for: order, prediction and limits rest on it. */
export interface Ask {
  readonly caller: string
  /** Of the caller's share under `fair`; above 0. */
  readonly weight: number
  /** 0 is served first. */
  readonly priority: number
  /** Most places that the caller's calls may hold at a time; absent: no bound. */
  readonly maxPlaces?: number
  /** Its route obeys `id_slot`, and its client chose none. Default: no. */
  readonly nameable?: boolean
  /** What the choice of its slot goes by: a text that stands for its prompt, and whether it wants nothing of it out of a cache. */
  readonly prompt?: string
  readonly reusesNothing?: boolean
  /** Counted; absent: estimated from the size of the body. */
  readonly promptTokens?: number
  /** Its prompt is long, was counted, and can be fed in chunks. Default: no. */
  readonly feedable?: boolean
  readonly bodyBytes: number
  /** Infinity when the client set no bound. */
  readonly maxTokens: number
  /** The call's own limits on the time from `sinceMs` to its first byte and to its end, milliseconds. */
  readonly ttftLimitMs?: number
  readonly finishLimitMs?: number
  /** What it has in common with no other call but itself, when it comes again. Asked only while somebody is refused. */
  readonly identity?: () => string
}

/** What happens to a schedule. All times are monotonic milliseconds; `id` names one call between `arrive` and its end. */
export type ScheduleEvent =
  /** `sinceMs`: when the client's wait began, which a limit on the time to first byte counts from. */
  | { readonly type: 'arrive', readonly id: string, readonly places: number, readonly atMs: number, readonly sinceMs: number, readonly ask?: Ask }
  /** Nobody waits any more. While queued it goes; once started its places stay taken until `released`, which comes sooner than without. */
  | { readonly type: 'leave', readonly id: string, readonly atMs: number }
  /** The first byte of a started call came at `firstByteAtMs`; may be told late. */
  | { readonly type: 'firstByte', readonly id: string, readonly firstByteAtMs: number, readonly atMs: number }
  /** Upstream works on the last token that this call may have: its places are the next call's. */
  | { readonly type: 'lastToken', readonly id: string, readonly atMs: number }
  /** Upstream is free of this call; `account` where it gave one. */
  | { readonly type: 'released', readonly id: string, readonly atMs: number, readonly account?: Account }
  /** A chunk of its prompt, but not the last, is in its slot; upstream took `tookMs` to evaluate what of it was not there before. */
  | { readonly type: 'chunk', readonly id: string, readonly evaluatedTokens: number, readonly tookMs: number, readonly atMs: number }
  /** What is left of its prompt goes in one piece after all. */
  | { readonly type: 'whole', readonly id: string, readonly atMs: number }
  | { readonly type: 'tick', readonly atMs: number }
  /** Refuses everything that waits and that arrives from now on. */
  | { readonly type: 'drain', readonly atMs: number }
  | { readonly type: 'resize', readonly places: number, readonly atMs: number }
  /** What llama-server says of its slots. */
  | { readonly type: 'slots', readonly reading: SlotsReading, readonly atMs: number }

export type RefusalReason = 'queue-full' | 'deadline' | 'balance' | 'queue-timeout' | 'draining'

export interface StartEffect {
  readonly type: 'start'
  readonly id: string
  readonly places: number
  /** llama-server's slot that it is to be sent to and holds until it is released; absent: llama-server chooses. */
  readonly slot?: number
  /** Its prompt is fed into that slot, chunk by chunk as `ChunkEffect`s say. */
  readonly feeds?: true
  /** Prompt tokens that it is sure to find in that slot; absent where that is not certain. */
  readonly predictedCachedTokens?: number
  /** Places of its own that calls at their last token still have; absent: none. */
  readonly overlaps?: number
  readonly queueWaitMs: number
  /** Made when it arrived: wait for a place, and time from its arrival to its first byte, with the interval that four in five fall into, and to its end. */
  readonly predictedWaitMs: number
  readonly predictedTtftMs: number
  readonly predictedTtftLowMs?: number
  readonly predictedTtftHighMs?: number
  readonly predictedFinishMs: number
}

export interface RefuseEffect {
  readonly type: 'refuse'
  readonly id: string
  readonly status: 429 | 503
  readonly reason: RefusalReason
  /** From 1 s to the longest that is told: when it is expected to be let in. */
  readonly retryAfterMs: number
  readonly queueWaitMs: number
  readonly predictedWaitMs: number
  /** Those that were told to come back and have a part of the server then, it included. */
  readonly expected: number
}

export type Effect = StartEffect | RefuseEffect | ChunkEffect
