import { BrokenOff } from '../policies/broken-off.js'
import type { Answer, Call } from '../policies/contract.js'
import { faultAnswer } from './refusal.js'

type Limited = Pick<Call, 'stream' | 'need'>

/**
 * When an answer has taken as long as a policy allows, monotonic milliseconds. Infinity: never, or not known before its first byte.
 * @param firstByteAtMs absent: no byte of the body came yet
 */
export function runawayAtMs ({ stream, need }: Limited, sentAtMs: number, firstByteAtMs: number | undefined): number {
  const sinceMs = stream ? firstByteAtMs : sentAtMs
  return need.maxOutputTime === undefined || sinceMs === undefined ? Infinity : sinceMs + need.maxOutputTime.ms
}

/** For an answer of which the client has a part. */
export function runawayCut (call: Limited): BrokenOff {
  return new BrokenOff(`${tooSlow(call)}; what came before is incomplete`, 504, 'runaway')
}

/** In place of an answer of which nothing came. SDKs would send the call again, and it would run as long again: they are told not to. */
export function runawayAnswer (call: Limited, released: Promise<void>): Answer {
  const answer = faultAnswer({ status: 504, reason: 'runaway', message: `${tooSlow(call)}; ask for fewer tokens, or for a stream` }, 'fault', released)
  return { ...answer, headers: { ...answer.headers, 'x-should-retry': 'false' } }
}

function tooSlow ({ stream, need: { maxOutputTime: limit } }: Limited): string {
  const since = stream ? 'its first byte' : 'the call was sent to llama-server'
  return `the answer was not complete ${(limit?.ms ?? 0) / 1e3} s after ${since} (${limit?.option}) and was ended`
}
