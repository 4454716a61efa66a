import type { WorkloadClass } from '../types.js'
import { chatBody, type PreparedCall } from './client.js'
import { drawnLengths, lengthsOf } from './lengths.js'
import { makePrompt } from './prompts.js'
import { deriveSeed, makeRandom } from './random.js'

/** Of a call's seed: whether its client leaves. */
const LEAVERS = 2

/** What a call of this class asks, and where. */
export function askedBy (cls: WorkloadClass, promptSeed: number, cachePrompt?: true): Pick<PreparedCall, 'body' | 'embedding'> {
  const { promptWords, maxTokens } = lengthsOf(cls, promptSeed)
  const prompt = makePrompt(promptSeed, promptWords)
  return cls.embedding === true ? { body: JSON.stringify({ input: prompt }), embedding: true } : { body: chatBody(prompt, maxTokens, cachePrompt) }
}

/** A call under load, with all that its class says of one. */
export function loadCall (seq: number, promptSeed: number, cls: WorkloadClass): PreparedCall {
  // Calls that come together may have one prompt, but each its own client.
  const leaves = cls.leave !== undefined && makeRandom(deriveSeed(promptSeed, seq), LEAVERS)() < cls.leave.share
  return {
    phase: 'load',
    seq,
    cls: cls.name,
    ...askedBy(cls, promptSeed, cls.cachePrompt),
    ...drawnLengths(cls, promptSeed),
    ...(cls.headers === undefined ? {} : { headers: cls.headers }),
    ...(leaves && cls.leave !== undefined ? { leave: cls.leave } : {})
  }
}
