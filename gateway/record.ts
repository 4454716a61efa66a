import type { Answer, Call, CallRecord, Outcome } from '../policies/contract.js'
import type { Trace } from './trace.js'

/** What is known of a call when its answer and its response are both over. */
export interface Ended {
  readonly call: Call
  readonly trace: Trace
  readonly answer: Answer
  readonly outcome: Outcome
  /** The client's connection closed before the response was written out. */
  readonly left: boolean
  /** Response headers were sent. */
  readonly headersSent: boolean
  readonly overAtMs: number
  readonly releasedAtMs?: number
  readonly gauges?: Readonly<Record<string, number>>
}

export function recordOf (ended: Ended): CallRecord {
  const { call, trace, answer, outcome, left, headersSent } = ended
  const { admittedAtMs, upstreamHeadersAtMs, facts } = trace
  const refused = answer.reason !== undefined && outcome.how === 'complete'
  return {
    msg: 'call',
    id: call.id,
    caller: call.caller,
    route: call.route,
    method: call.method,
    path: call.path,
    stream: call.stream,
    status: left && !headersSent ? 499 : answer.status,
    outcome: left ? 'left' : refused ? 'refused' : outcome.how,
    ...present('reason', left ? 'client-left' : answer.reason),
    arrivedAtMs: call.arrivedAtMs,
    ...present('admittedAtMs', admittedAtMs),
    ...present('upstreamHeadersAtMs', upstreamHeadersAtMs),
    ...present('firstByteAtMs', outcome.firstByteAtMs ?? trace.firstByteAtMs),
    overAtMs: ended.overAtMs,
    ...present('releasedAtMs', ended.releasedAtMs),
    queueWaitMs: call.decisions.reduce((sum, decision) => sum + decision.queueWaitMs, 0),
    bytes: outcome.bytes,
    ...present('promptTokens', facts?.promptTokens ?? call.need.promptTokens),
    ...present('cachedTokens', facts?.cachedTokens),
    ...present('outputTokens', facts?.outputTokens),
    ...present('timings', outcome.timings ?? facts?.timings),
    decisions: call.decisions,
    ...present('gauges', ended.gauges)
  }
}

/** An entry that is left out when there is nothing to say. */
function present<K extends string, V> (name: K, value: V | undefined): { [P in K]?: V } {
  const entry: { [P in K]?: V } = {}
  if (value !== undefined) entry[name] = value
  return entry
}
