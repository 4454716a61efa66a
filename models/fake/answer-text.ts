import { createHash } from 'node:crypto'

/**
 * The fake's text: the first word is a digest of the prompt and seed, so that an answer given to the wrong prompt is seen;
 * the others are numbered.
 */
export function answerWord (promptIds: readonly number[], seed: number, tokenIndex: number): string {
  if (tokenIndex > 0) return ` w${tokenIndex}`
  return createHash('sha256').update(`${seed}:${promptIds.join(',')}`).digest('hex').slice(0, 8)
}

export function answerText (promptIds: readonly number[], seed: number, tokens: number): string {
  return Array.from({ length: tokens }, (_, index) => answerWord(promptIds, seed, index)).join('')
}
