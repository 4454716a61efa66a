import type { CallRecord } from '../policies/contract.js'

/** The record of a streamed call that came to its end, unless told otherwise. */
export function makeRecord (more: Partial<CallRecord> = {}): CallRecord {
  return { msg: 'call', id: 'i', caller: 'c', route: 'generation', method: 'POST', path: '/', stream: true, status: 200, outcome: 'complete', arrivedAtMs: 0, overAtMs: 400, queueWaitMs: 0, bytes: 1, decisions: [], ...more }
}
