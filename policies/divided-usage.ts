import type { EmbeddingInputs } from './embedding-inputs.js'

/**
 * Tokens of each input, when only their sum is known from llama-server's answer. Texts are counted without the special tokens that it puts around each of them; what is
 * left of the sum must be the same whole number for every text. Undefined where it is not: then the count does not go by what llama-server did.
 * @param counts of the texts, in order; ids are what they are
 */
export function dividedUsage (prompts: EmbeddingInputs['prompts'], counts: readonly number[], sum: number): number[] | undefined {
  const texts = prompts.filter(prompt => typeof prompt === 'string').length
  if (counts.length !== texts) return undefined
  let text = 0
  const plain = prompts.map(prompt => typeof prompt === 'string' ? counts[text++] ?? NaN : prompt.length)
  const left = sum - plain.reduce((total, tokens) => total + tokens, 0)
  if (texts === 0) return left === 0 ? plain : undefined
  const around = left / texts
  if (!Number.isInteger(around) || around < 0) return undefined
  return prompts.map((prompt, index) => (plain[index] ?? NaN) + (typeof prompt === 'string' ? around : 0))
}
