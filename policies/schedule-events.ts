/** What happens to a schedule. All times are monotonic milliseconds; `id` names one call between `arrive` and its end. */
export type ScheduleEvent =
  /** `sinceMs`: when the client's wait began, which a limit on the time to first byte counts from. */
  | { readonly type: 'arrive', readonly id: string, readonly places: number, readonly atMs: number, readonly sinceMs: number }
  /** Nobody waits any more. While queued it goes; once started its places stay taken until `released`. */
  | { readonly type: 'leave', readonly id: string, readonly atMs: number }
  /** The first byte of a started call came at `firstByteAtMs`; told late or never, it only teaches. */
  | { readonly type: 'firstByte', readonly id: string, readonly firstByteAtMs: number, readonly atMs: number }
  /** Upstream is free of this call. */
  | { readonly type: 'released', readonly id: string, readonly atMs: number }
  | { readonly type: 'tick', readonly atMs: number }
  /** Refuses everything that waits and that arrives from now on. */
  | { readonly type: 'drain', readonly atMs: number }
  | { readonly type: 'resize', readonly places: number, readonly atMs: number }

export type RefusalReason = 'queue-full' | 'deadline' | 'queue-timeout' | 'draining'

export interface StartEffect {
  readonly type: 'start'
  readonly id: string
  readonly places: number
  readonly queueWaitMs: number
  readonly predictedWaitMs: number
}

export interface RefuseEffect {
  readonly type: 'refuse'
  readonly id: string
  readonly status: 429 | 503
  readonly reason: RefusalReason
  /** Between 1 s and 120 s: when a call like this one is expected to be let in. */
  readonly retryAfterMs: number
  readonly queueWaitMs: number
  readonly predictedWaitMs: number
}

export type Effect = StartEffect | RefuseEffect
