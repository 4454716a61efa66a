import { promptWords } from '../../models/synth/prompt-words.js'

/**
 * A prompt of exactly `words` words. Other seeds give other words from the first on, so that a server's prefix cache holds nothing of
 * it but the chat template. With a synthetic model a word is a token; a real model's tokenizer makes two or three of one.
 */
export function makePrompt (promptSeed: number, words: number): string {
  return promptWords(promptSeed, words)
}
