import type { CallRecord } from '../../policies/contract.js'
import type { Block } from '../types.js'

/** What the gateway predicted of a call's time to first token, and what it was; milliseconds from its arrival at the policy that predicted. */
export interface PredictedCall {
  /** Calls in the line when it arrived. */
  readonly depth: number
  readonly predictedMs: number
  /** Meant to hold four in five; absent until enough calls of about this depth were seen. */
  readonly interval?: { readonly lowMs: number, readonly highMs: number }
  /** By the gateway's own record, and by the client's stamps (from the time of sending), where the two can be joined. */
  readonly realMs: number
  readonly clientMs?: number
}

/** Of the streams that arrived in the judged window and got a first byte, in order of arrival. */
export function predictedCalls ({ records, calls, evidence: { judgedFromMs, judgedToMs } }: Block): PredictedCall[] {
  const clients = new Map(calls.flatMap(call => call.phase === 'load' && call.weirId !== undefined && call.firstMs !== undefined ? [[call.weirId, call.firstMs - call.sentMs] as const] : []))
  return records
    .filter(({ arrivedAtMs }) => arrivedAtMs >= judgedFromMs && arrivedAtMs < judgedToMs)
    .sort((a, b) => a.arrivedAtMs - b.arrivedAtMs)
    .flatMap(record => predictedCall(record, clients.get(record.id)) ?? [])
}

function predictedCall ({ decisions, stream, admittedAtMs, firstByteAtMs }: CallRecord, clientMs: number | undefined): PredictedCall | undefined {
  const facts = decisions?.find(({ mode, facts }) => mode === 'on' && facts['predictedTtftMs'] !== undefined)?.facts
  // The body of an answer that is not streamed begins at its end.
  if (facts === undefined || admittedAtMs === undefined || firstByteAtMs === undefined || !stream) return undefined
  const { predictedTtftMs: predictedMs = 0, predictedTtftLowMs: lowMs, predictedTtftHighMs: highMs, queueWaitMs = 0, queued: depth = 0 } = facts
  return {
    depth,
    predictedMs,
    ...(lowMs === undefined || highMs === undefined ? {} : { interval: { lowMs, highMs } }),
    realMs: firstByteAtMs - admittedAtMs + queueWaitMs,
    ...(clientMs === undefined ? {} : { clientMs })
  }
}
