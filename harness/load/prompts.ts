import { makeRandom } from './random.js'
import { WORDS } from './words.js'

/**
 * A prompt of exactly `words` words (one token each, give or take). Other seeds give other prompts from the first words
 * on, so that a server's prefix cache holds nothing of it but the chat template.
 */
export function makePrompt (promptSeed: number, words: number): string {
  const random = makeRandom(promptSeed)
  const picked: string[] = []
  for (let index = 0; index < words; index++) picked.push(WORDS[Math.floor(random() * WORDS.length)] ?? 'time')
  return picked.join(' ')
}
