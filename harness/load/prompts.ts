import { ENGLISH_WORDS } from '../../models/synth/english-words.js'
import { makeRandom } from './random.js'

/**
 * A prompt of exactly `words` words (one token each with a synthetic model, and with most others). Other seeds give other prompts from the first words
 * on, so that a server's prefix cache holds nothing of it but the chat template.
 */
export function makePrompt (promptSeed: number, words: number): string {
  const random = makeRandom(promptSeed)
  const picked: string[] = []
  for (let index = 0; index < words; index++) picked.push(ENGLISH_WORDS[Math.floor(random() * ENGLISH_WORDS.length)] ?? 'time')
  return picked.join(' ')
}
