import { LRUCache } from 'lru-cache'
import type { Answer } from './contract.js'
import type { Template } from './replay.js'

export interface StoredAnswer {
  readonly headers: Answer['headers']
  readonly template: Template
  /** Monotonic milliseconds of its end. */
  readonly endedAtMs: number
}

/** What an entry costs beside its bytes: the object of each part, the node in the cache. Bytes, roughly and rather more. */
const BYTES_PER_PART = 160
const BYTES_PER_ENTRY = 1_024

/** Answers by key, the ones not asked for the longest dropped first when their bytes, keys included, are more than allowed. */
export class AnswerStore {
  readonly #answers: LRUCache<string, StoredAnswer>
  readonly #ttlMs: number
  readonly counts = { stored: 0, evicted: 0, expired: 0, flushed: 0 }

  constructor ({ maxBytes, ttlMs }: { readonly maxBytes: number, readonly ttlMs: number }) {
    this.#ttlMs = ttlMs
    this.#answers = new LRUCache<string, StoredAnswer>({
      maxSize: maxBytes,
      sizeCalculation: sizeOf,
      dispose: (_answer, _key, reason) => { if (reason === 'evict') this.counts.evicted++ }
    })
  }

  get entries (): number { return this.#answers.size }
  get bytes (): number { return this.#answers.calculatedSize }

  get (key: string, nowMs: number): StoredAnswer | undefined {
    const found = this.#answers.get(key)
    if (found === undefined || nowMs - found.endedAtMs <= this.#ttlMs) return found
    this.#answers.delete(key)
    this.counts.expired++
    return undefined
  }

  /** One that is larger than the whole store is not kept. */
  set (key: string, answer: StoredAnswer): void {
    this.#answers.set(key, answer)
    if (this.#answers.has(key)) this.counts.stored++
  }

  flush (): void {
    this.counts.flushed += this.#answers.size
    this.#answers.clear()
  }
}

function sizeOf ({ headers, template }: StoredAnswer, key: string): number {
  return template.bytes + template.parts.length * BYTES_PER_PART + JSON.stringify(headers).length + key.length + BYTES_PER_ENTRY
}
