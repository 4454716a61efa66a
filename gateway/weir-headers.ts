import type { Answer, Call } from '../policies/contract.js'
import { queueWaitMs } from './record.js'
import type { Trace } from './trace.js'

/** What the client is told of its call, at the moment the response headers are written. */
export function weirHeaders (call: Call, trace: Trace, answer: Answer): Record<string, string> {
  const queueMs = queueWaitMs(call)
  const upstreamMs = trace.admittedAtMs === undefined || trace.upstreamHeadersAtMs === undefined ? undefined : trace.upstreamHeadersAtMs - trace.admittedAtMs
  const reason = answer.reason ?? call.decisions.findLast(({ mode }) => mode === 'on')?.reason
  return {
    'x-weir-id': call.id,
    ...(reason === undefined ? {} : { 'x-weir-reason': reason.replace(/[^\x20-\x7e]/g, ' ') }),
    'server-timing': `queue;dur=${queueMs.toFixed(1)}${upstreamMs === undefined ? '' : `, upstream;dur=${upstreamMs.toFixed(1)}`}`
  }
}
