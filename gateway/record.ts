import type { Answer, Call, CallRecord, Outcome } from '../policies/contract.js'
import type { Trace } from './trace.js'

/** What is known of a call when its answer and its response are both over. */
export interface Ended {
  readonly call: Call
  readonly trace: Trace
  readonly answer: Answer
  readonly outcome: Outcome
  /** When the client's connection closed before the response was written out; undefined when it did not. */
  readonly leftAtMs: number | undefined
  /** Response headers were sent. */
  readonly headersSent: boolean
  readonly overAtMs: number
  readonly releasedAtMs?: number
  readonly gauges?: Readonly<Record<string, number>>
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Built field by field: each spread of an optional entry costs more than its JSON. */
export function recordOf (ended: Ended): CallRecord {
  const { call, trace, answer, outcome, leftAtMs, headersSent } = ended
  const left = leftAtMs !== undefined
  const { facts } = trace
  const refused = answer.reason !== undefined && outcome.how === 'complete'
  const record: Writable<CallRecord> = {
    msg: 'call',
    id: call.id,
    caller: call.caller,
    route: call.route,
    method: call.method,
    path: call.path,
    stream: call.stream,
    status: left && !headersSent ? 499 : answer.status,
    outcome: left ? 'left' : refused ? 'refused' : outcome.how,
    arrivedAtMs: call.arrivedAtMs,
    overAtMs: ended.overAtMs,
    queueWaitMs: queueWaitMs(call),
    bytes: outcome.bytes,
    decisions: call.decisions
  }
  const reason = left ? 'client-left' : answer.reason ?? outcome.reason
  const firstByteAtMs = outcome.firstByteAtMs ?? trace.firstByteAtMs
  const promptTokens = facts?.promptTokens ?? call.need.promptTokens
  const timings = outcome.timings ?? facts?.timings
  if (reason !== undefined) record.reason = reason
  if (trace.admittedAtMs !== undefined) record.admittedAtMs = trace.admittedAtMs
  if (trace.upstreamHeadersAtMs !== undefined) record.upstreamHeadersAtMs = trace.upstreamHeadersAtMs
  if (firstByteAtMs !== undefined) record.firstByteAtMs = firstByteAtMs
  if (leftAtMs !== undefined) record.leftAtMs = leftAtMs
  if (ended.releasedAtMs !== undefined) record.releasedAtMs = ended.releasedAtMs
  if (promptTokens !== undefined) record.promptTokens = promptTokens
  if (facts?.cachedTokens !== undefined) record.cachedTokens = facts.cachedTokens
  if (facts?.outputTokens !== undefined) record.outputTokens = facts.outputTokens
  if (timings !== undefined) record.timings = timings
  if (ended.gauges !== undefined) record.gauges = ended.gauges
  return record
}

/** Time spent waiting in all policies, milliseconds; a shadow makes nobody wait. */
export function queueWaitMs (call: Call): number {
  let sumMs = 0
  for (const { mode, queueWaitMs } of call.decisions) if (mode === 'on') sumMs += queueWaitMs
  return sumMs
}
