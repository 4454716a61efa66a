import type { RefusalReason } from './schedule-events.js'

const MIN_MS = 1_000

/**
 * Milliseconds after which a call like the refused one would be let in if nobody else came, from 1 s to `maxMs`: for who has no appointment.
 * @param backlogMs wait behind the whole line
 * @param spareMs how long it could wait and keep its limits
 * @param releaseIntervalMs between two places that become free; undefined while not known
 */
export function retryAfterMs (reason: RefusalReason, backlogMs: number, spareMs: number, maxMs: number, releaseIntervalMs = 0): number {
  // A draining gateway is gone when its backlog is: the next one is asked then.
  const tooLongMs = reason === 'draining' ? backlogMs : backlogMs - spareMs
  return Math.min(maxMs, Math.max(MIN_MS, tooLongMs, releaseIntervalMs))
}
