import type { TailFacts } from './tail.js'

/** What the way to upstream and back leaves behind for the record of one call. All times are monotonic milliseconds. */
export interface Trace {
  admittedAtMs?: number
  upstreamHeadersAtMs?: number
  firstByteAtMs?: number
  facts?: TailFacts
  /** Times this call was sent again because a kept connection had died (L22). */
  resent: number
}
