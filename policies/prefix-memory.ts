import { commonPrefix } from './common-prefix.js'
import { ReturnTimes } from './return-times.js'

/** What a slot keeps of its last call. */
export interface Content {
  readonly text: string
  /** Tokens of its prompt; estimated until llama-server told. */
  promptTokens: number
  /** Generated after it. */
  outputTokens: number
  /** When its answer ended; while it runs, when it started. */
  usedAtMs: number
  /** Its answer ended well: all of it is in the slot. */
  whole: boolean
}

/** Tokens of a prompt that a slot has already. */
export interface Reuse {
  /** Surely, if the slot holds what we think. */
  readonly leastTokens: number
  /** If the client sent back what was generated. */
  readonly likelyTokens: number
}

const NONE: Reuse = { leastTokens: 0, likelyTokens: 0 }

/** What of this prompt is in there. */
export function reuseOf ({ text: before, promptTokens, outputTokens }: Content, text: string): Reuse {
  const chars = commonPrefix(before, text)
  if (chars === before.length) return { leastTokens: promptTokens, likelyTokens: promptTokens + (text.length > chars ? outputTokens : 0) }
  const tokens = promptTokens * chars / before.length
  return { leastTokens: tokens, likelyTokens: tokens }
}

/** Conversations that are remembered beyond those in slots, to learn after which time they come back, and the text kept of them in all, UTF-16 units. */
const REMEMBERED = { conversations: 256, chars: 8_000_000 }

/** What each slot of llama-server keeps, by what was sent to it and what came back. */
export class PrefixMemory {
  readonly returns = new ReturnTimes()
  readonly #slots = new Map<number, Content>()
  /** The latest prompt of each conversation, the oldest first. */
  readonly #conversations = new Set<Content>()
  #chars = 0
  /** Mean over the prompts that llama-server counted. */
  #tokensPerChar = 0.25

  contentOf (slot: number): Content | undefined { return this.#slots.get(slot) }

  tokensOf (text: string): number { return text.length * this.#tokensPerChar }

  /** What a slot has of this prompt. */
  reuse (slot: number, text: string): Reuse {
    const content = this.#slots.get(slot)
    return content === undefined ? NONE : reuseOf(content, text)
  }

  /** @param text of its prompt; undefined: it is not known what the slot holds from now on */
  start (slot: number, text: string | undefined, atMs: number): void {
    this.#slots.delete(slot)
    if (text === undefined) return
    const content = { text, promptTokens: this.tokensOf(text), outputTokens: 0, usedAtMs: atMs, whole: false }
    this.#slots.set(slot, content)
    this.#remember(content, atMs)
  }

  /** @param tokens as llama-server counted them; absent when it did not say, or the call did not run to its end */
  end (slot: number, tokens: { readonly prompt: number, readonly output: number } | undefined, atMs: number): void {
    const content = this.#slots.get(slot)
    if (content === undefined) return
    content.usedAtMs = atMs
    if (tokens === undefined) return
    content.promptTokens = tokens.prompt
    content.outputTokens = tokens.output
    content.whole = true
    if (content.text.length > 0) this.#tokensPerChar += (tokens.prompt / content.text.length - this.#tokensPerChar) / 16
  }

  forget (slot: number): void { this.#slots.delete(slot) }

  /** A prompt that begins with all of an earlier one continues its conversation. */
  #remember (content: Content, atMs: number): void {
    let earlier: Content | undefined
    for (const each of this.#conversations) {
      if (content.text.startsWith(each.text) && each.text.length > (earlier?.text.length ?? -1)) earlier = each
    }
    if (earlier !== undefined) {
      if (earlier.whole) this.returns.returned(atMs - earlier.usedAtMs)
      this.#drop(earlier)
    }
    this.#conversations.add(content)
    this.#chars += content.text.length
    for (const oldest of this.#conversations) {
      if (this.#conversations.size <= REMEMBERED.conversations && this.#chars <= REMEMBERED.chars) break
      this.returns.lost(atMs - oldest.usedAtMs)
      this.#drop(oldest)
    }
  }

  #drop (content: Content): void {
    if (this.#conversations.delete(content)) this.#chars -= content.text.length
  }
}
