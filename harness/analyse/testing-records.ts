import type { CallRecord } from '../../policies/contract.js'

/** A record of a streamed chat call that was answered, with what is given. For tests only. */
export function callRecord (given: Partial<CallRecord> & Pick<CallRecord, 'id' | 'arrivedAtMs' | 'overAtMs'>): CallRecord {
  return {
    msg: 'call',
    caller: 'c',
    route: 'generation',
    method: 'POST',
    path: '/v1/chat/completions',
    stream: true,
    status: 200,
    outcome: 'complete',
    queueWaitMs: 0,
    bytes: 100,
    decisions: [],
    ...given
  }
}
