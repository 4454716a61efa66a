import type { WorkloadClass } from '../types.js'
import { chatBody, type PreparedCall } from './client.js'
import { lengthsOf } from './lengths.js'
import { makePrompt } from './prompts.js'

/** What a call of this class asks, and where. */
export function askedBy (cls: WorkloadClass, promptSeed: number, cachePrompt?: true): Pick<PreparedCall, 'body' | 'embedding'> {
  const { promptWords, maxTokens } = lengthsOf(cls, promptSeed)
  const prompt = makePrompt(promptSeed, promptWords)
  return cls.embedding === true ? { body: JSON.stringify({ input: prompt }), embedding: true } : { body: chatBody(prompt, maxTokens, cachePrompt) }
}
