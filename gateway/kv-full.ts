import type { Answer } from '../policies/contract.js'
import { faultAnswer } from './refusal.js'

/** llama-server's words when the KV pool that its slots share is full (L13). They are no contract: a test asks the real one. */
const words = /context size has been exceeded/i
/**
 * llama-server's 500 for a full KV pool as a 503 with `Retry-After`: SDKs send a 500 again at once, into a pool that just was
 * too small for what it had. Every other answer is passed on as it is; a body that is still under way (long, or without a length) is no error body.
 */
export function kvFullAsUnavailable (answer: Answer, retryAfterSeconds: () => number): Answer {
  const { status, body } = answer
  if (status !== 500 || !(body instanceof Buffer) || !saysKvFull(body.toString())) return answer
  return faultAnswer({
    status: 503,
    reason: 'kv-full',
    message: 'llama-server\'s KV pool is full: the calls that ran needed more context together than it has, and all of them failed; try again later. ' +
      'Against it: a larger -c, fewer slots, or a lower maxTokens in the policy prompt-cap',
    retryAfterSeconds: retryAfterSeconds()
  }, 'fault', answer.released)
}

/**
 * When to try again, from 1 to 30 s: after the wait for a place, and not before the pool may have lasted as long again. The latter
 * differs from call to call, so that those which failed together do not come back together.
 * @param lastedMs from sending the call to its failure
 * @param predictedWaitMs wait of a call that arrives now; absent: nobody predicts it
 */
export function retryAfterKvFullMs (lastedMs: number, predictedWaitMs = 0): number {
  return Math.min(30_000, Math.max(1_000, lastedMs, predictedWaitMs))
}

/** @param text an error body or the last event of a stream; a quote in generated text is always escaped, so only an error has this */
export function saysKvFull (text: string): boolean {
  return words.test(/"message":\s*"([^"\\]*)"/.exec(text)?.[1] ?? '')
}
