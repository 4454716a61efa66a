import { reuseOf, type Content, type Reuse } from './prefix-memory.js'

export interface SlotFilesOptions {
  /** Files at most. */
  readonly count: number
  /** Tokens that an exchange must save or spare at least. */
  readonly minTokens: number
}

/** What happens to a slot before a call: what it holds goes into a file, what another file holds comes in. Files have numbers from 0. */
export interface Exchange {
  readonly save?: number
  readonly restore?: number
}

/** Which prompts llama-server has in files. It has no way to delete one: the one that was used longest ago is written over. */
export class SlotFiles {
  readonly #options: SlotFilesOptions
  /** By number; the one used longest ago first. */
  readonly #kept = new Map<number, Content>()

  constructor (options: SlotFilesOptions) {
    this.#options = options
  }

  get size (): number { return this.#kept.size }

  /** The file that has most of this prompt, and how much that is; undefined when none has any. */
  best (prompt: string): { readonly file: number, readonly reuse: Reuse } | undefined {
    let best: { readonly file: number, readonly reuse: Reuse } | undefined
    for (const [file, content] of this.#kept) {
      const reuse = reuseOf(content, prompt)
      if (reuse.likelyTokens > (best?.reuse.likelyTokens ?? 0)) best = { file, reuse }
    }
    return best
  }

  /**
   * What is worth doing before a call runs in a slot.
   * @param reusedTokens that the slot has of the prompt
   * @param content of the slot, and how many tokens of it the call would overwrite; undefined: not known for sure, and so not kept
   */
  plan (prompt: string, reusedTokens: number, content: Content | undefined, lostTokens: number): Exchange | undefined {
    const { minTokens } = this.#options
    const best = this.best(prompt)
    const restore = best !== undefined && best.reuse.likelyTokens - reusedTokens >= minTokens ? best.file : undefined
    // What comes out of a file takes the place of all that is in the slot.
    const lost = restore === undefined || content === undefined ? lostTokens : content.promptTokens + content.outputTokens
    const save = content === undefined || lost < minTokens ? undefined : this.#fileFor(content, restore)
    return save === undefined && restore === undefined ? undefined : { ...(save === undefined ? {} : { save }), ...(restore === undefined ? {} : { restore }) }
  }

  saved (file: number, content: Content): void {
    this.#kept.delete(file)
    this.#kept.set(file, content)
  }

  /** Somebody came back for it. */
  used (file: number): void {
    const content = this.#kept.get(file)
    if (content !== undefined) this.saved(file, content)
  }

  /** It cannot be read any more. */
  forget (file: number): void { this.#kept.delete(file) }

  /** Undefined where all of it is in a file already, or no file is free for it. @param taken the file that is read at the same time */
  #fileFor (content: Content, taken: number | undefined): number | undefined {
    for (const [file, kept] of this.#kept) {
      if (kept.text.length === content.text.length && kept.text === content.text) return undefined
      // An earlier turn of the same conversation.
      if (file !== taken && content.text.startsWith(kept.text)) return file
    }
    for (let file = 0; file < this.#options.count; file++) if (!this.#kept.has(file)) return file
    return [...this.#kept.keys()].find(file => file !== taken)
  }
}
