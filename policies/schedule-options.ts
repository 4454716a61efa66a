import type { LongPrefillOptions } from './long-prefills.js'
import type { OrderOptions } from './order.js'
import type { RoomOptions } from './room.js'
import type { SlotStrategy } from './slot-choice.js'

export interface ScheduleOptions extends Partial<OrderOptions>, RoomOptions {
  readonly places: number
  /** Longest wait for a place, milliseconds; a longer predicted one is refused at arrival, a longer real one when it is over. */
  readonly maxWaitMs: number
  /** Limit on the time from arrival to the first byte, milliseconds; a call may ask for a shorter one. */
  readonly ttftLimitMs?: number
  readonly maxQueued: number
  /** Longest time that a refused client is told to wait, milliseconds. Default: `MAX_RETRY_AFTER_MS`. */
  readonly maxRetryAfterMs?: number
  /** `adaptive`: fewer than `places` where that gives more tokens per second. Default: slots. */
  readonly limit?: 'slots' | 'adaptive'
  /** A call's chance to be served does not depend on the length of its prompt. Default: it follows from its limit alone. */
  readonly balance?: boolean
  /** Prompts that are longer than a chunk are fed chunk by chunk into a named slot. Default: they go whole. */
  readonly preemptiblePrefill?: LongPrefillOptions
  /** Names the slot of each call. Default: llama-server chooses. */
  readonly slotStrategy?: SlotStrategy
}

/** Share of the limit kept back until errors of prediction are measured, and the quantile of them that is kept back then. */
export const SAFETY = { firstShare: 0.15, quantile: 0.95 }
export const AS_THEY_CAME: OrderOptions = { priority: false, fair: false, order: 'fifo', agingMs: 10_000 }
export const MAX_RETRY_AFTER_MS = 120_000
