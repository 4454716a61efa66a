/** Time limits of an upstream call, milliseconds. A prefill on a CPU takes minutes: the defaults are generous. */
export interface TimeLimits {
  /** From sending the call to the first byte of the answer's body. */
  readonly firstByteTimeoutMs: number
  /** Between two chunks of the answer. llama-server pings a silent stream every 30 s. */
  readonly idleTimeoutMs: number
  /** From sending the call to the end of the answer; absent: no limit. */
  readonly totalTimeoutMs?: number
}

/** `runaway` is a policy's limit of this one call, the others are the gateway's. */
export type LimitReason = 'first-byte-timeout' | 'idle-timeout' | 'total-timeout' | 'runaway'

/**
 * When the next limit is due, and which it is.
 * @param lastByteAtMs absent: no byte of the body came yet
 * @param runawayAtMs when the call's own limit is due; Infinity: never, or not known yet
 */
export function nextLimit (limits: TimeLimits, sentAtMs: number, lastByteAtMs: number | undefined, runawayAtMs = Infinity): { dueAtMs: number, reason: LimitReason } {
  const byByte = lastByteAtMs === undefined
    ? { dueAtMs: sentAtMs + limits.firstByteTimeoutMs, reason: 'first-byte-timeout' as const }
    : { dueAtMs: lastByteAtMs + limits.idleTimeoutMs, reason: 'idle-timeout' as const }
  const totalAtMs = sentAtMs + (limits.totalTimeoutMs ?? Infinity)
  if (runawayAtMs < Math.min(totalAtMs, byByte.dueAtMs)) return { dueAtMs: runawayAtMs, reason: 'runaway' }
  return totalAtMs < byByte.dueAtMs ? { dueAtMs: totalAtMs, reason: 'total-timeout' } : byByte
}
