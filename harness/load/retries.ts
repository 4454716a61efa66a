import type { CallSample, Refusal, Retry } from '../types.js'
import type { ChatClient, PreparedCall } from './client.js'
import { waitUntil } from './wait.js'

/**
 * A call and what its client does after a refusal. Resolves with the sample of the last try, whose intended time and time of sending are the first one's: what
 * its user waited for counts from there. A try that the end of the patience comes before is not made.
 */
export async function withRetries (client: ChatClient, prepared: PreparedCall, intendedMs: number, retry: Retry | undefined, signal: AbortSignal): Promise<CallSample> {
  const first = await client.call(prepared, intendedMs, signal)
  if (retry === undefined) return first
  let last = first
  const refusals: Refusal[] = []
  while (last.outcome === 'refused' && refusals.length + 1 < retry.tries) {
    const seconds = retry.wait === 'told' ? last.retryAfterSeconds : retry.wait
    const atMs = last.doneMs + (seconds ?? Infinity) * 1000
    if (atMs - intendedMs > retry.patienceSeconds * 1000 || !await waitUntil(atMs, { spin: false, signal })) break
    refusals.push(refusalOf(last))
    last = await client.call(prepared, intendedMs, signal)
  }
  return refusals.length === 0 ? first : { ...last, sentMs: first.sentMs, refusals, lastSentMs: last.sentMs }
}

function refusalOf ({ sentMs, doneMs, status = 0, reason = '', retryAfterSeconds }: CallSample): Refusal {
  return { sentMs, doneMs, status, reason, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}
