import type { Call } from './contract.js'

/** Headers by which an SDK says that a call is one of several attempts. OpenAI's and Anthropic's send the first two with every call. */
const COUNT = 'x-stainless-retry-count'
const TIMEOUT = 'x-stainless-timeout'
const IDEMPOTENCY = 'idempotency-key'

/** A client's clock starts before the call is here, and its seconds are rounded down. */
const EARLY_MS = 300
const LATE_MS = 1_500

/** 0: the first attempt, or one that does not say. */
export function retryCountOf (call: Pick<Call, 'headers'>): number {
  return Number(/^\d{1,3}$/.exec(call.headers.get(COUNT) ?? '')?.[0] ?? 0)
}

export function idempotencyKeyOf (call: Pick<Call, 'headers'>): string | undefined {
  return call.headers.get(IDEMPOTENCY)
}

/** Whether who left now did so because its own time limit ran out, as it had announced it; then a retry follows at once. */
export function gaveUpWaiting (call: Pick<Call, 'headers' | 'arrivedAtMs'>, nowMs: number): boolean {
  const limitMs = Number(call.headers.get(TIMEOUT) ?? NaN) * 1e3
  const waitedMs = nowMs - call.arrivedAtMs
  return limitMs > 0 && waitedMs >= limitMs - EARLY_MS && waitedMs <= limitMs + LATE_MS
}
