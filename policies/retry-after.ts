import type { RefusalReason } from './schedule-events.js'

const RETRY_MS = { min: 1_000, max: 120_000 }

/**
 * Milliseconds after which a call like the refused one is expected to be let in, from 1 s to 120 s.
 * @param backlogMs wait behind the whole line
 * @param spareMs how long it could wait and keep its limits
 * @param releaseIntervalMs between two places that become free; undefined while not known
 */
export function retryAfterMs (reason: RefusalReason, backlogMs: number, spareMs: number, releaseIntervalMs = 0): number {
  // A draining gateway is gone when its backlog is: the next one is asked then.
  const tooLongMs = reason === 'draining' ? backlogMs : backlogMs - spareMs
  return Math.min(RETRY_MS.max, Math.max(RETRY_MS.min, tooLongMs, releaseIntervalMs))
}
