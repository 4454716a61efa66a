import { isRecord } from './json.js'

const BOS = 1
const FIRST_WORD_ID = 100

/** Tokens the fake's template adds for each message. */
export const TEMPLATE_TOKENS_PER_MESSAGE = 1
/** Tokens it adds once: begin of sequence and the assistant's turn. */
export const TEMPLATE_TOKENS_PER_CHAT = 2

/** The fake's tokenizer: one token per whitespace-separated word, ids given in the order in which words are first met. */
export class Words {
  #ids = new Map<string, number>()
  #words = new Map<number, string>()

  tokenize (text: string, addSpecial = false): number[] {
    const ids = text.split(/\s+/).filter(word => word !== '').map(word => this.#id(word))
    return addSpecial ? [BOS, ...ids] : ids
  }

  piece (id: number): string {
    return id === BOS ? '<s>' : this.#words.get(id) ?? `<${id}>`
  }

  detokenize (ids: readonly number[]): string {
    return ids.map(id => this.piece(id)).join(' ')
  }

  /** A prompt as llama-server takes it: text, token ids, or a mix of both. `undefined`: it is none of these. */
  prompt (prompt: unknown): number[] | undefined {
    if (typeof prompt === 'string') return this.tokenize(prompt, true)
    if (!Array.isArray(prompt) || prompt.length === 0) return undefined
    const ids: number[] = []
    for (const part of prompt) {
      if (typeof part === 'number') ids.push(part)
      else if (typeof part === 'string') ids.push(...this.tokenize(part, ids.length === 0))
      else return undefined
    }
    return ids
  }

  #id (word: string): number {
    const known = this.#ids.get(word)
    if (known !== undefined) return known
    const id = FIRST_WORD_ID + this.#ids.size
    this.#ids.set(word, id)
    this.#words.set(id, word)
    return id
  }
}

export function applyTemplate (messages: readonly unknown[]): string {
  const turns = messages.map(message => isRecord(message) ? `<|${String(message['role'])}|>\n${contentText(message['content'])}\n` : '')
  return `${turns.join('')}<|assistant|>\n`
}

function contentText (content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map(part => isRecord(part) && typeof part['text'] === 'string' ? part['text'] : '').join(' ')
}
