import type { Timings } from '../policies/contract.js'

const capacityBytes = 4096
const maxFreeRings = 256
const freeRings: Buffer[] = []

/** What llama-server says of a generation at the end of its answer. */
export interface TailFacts {
  readonly timings?: Timings
  readonly promptTokens?: number
  readonly cachedTokens?: number
  readonly outputTokens?: number
}

/**
 * The last 4 KB of an answer, copied into one ring: no chunk is kept alive and none is parsed while it passes.
 * Both kinds of answer carry `timings` and `usage` at their end. A quote inside a JSON string is always escaped, so
 * an unescaped `"timings":` cannot come from the generated text.
 */
export class Tail {
  // Rings are used again: an allocation of 4 KB costs as much as the relay of an event.
  readonly #ring = freeRings.pop() ?? Buffer.allocUnsafe(capacityBytes)
  #at = 0
  #wrapped = false

  add (chunk: Buffer): void {
    const last = chunk.length > capacityBytes ? chunk.subarray(chunk.length - capacityBytes) : chunk
    const first = Math.min(last.length, capacityBytes - this.#at)
    last.copy(this.#ring, this.#at, 0, first)
    if (first < last.length) last.copy(this.#ring, 0, first)
    this.#at += last.length
    if (this.#at >= capacityBytes) {
      this.#at -= capacityBytes
      this.#wrapped = true
    }
  }

  text (): string {
    const end = this.#ring.toString('latin1', 0, this.#at)
    return this.#wrapped ? this.#ring.toString('latin1', this.#at, capacityBytes) + end : end
  }

  /** What the end says; nothing may be added any more. */
  facts (): TailFacts {
    const text = this.text()
    if (freeRings.length < maxFreeRings) freeRings.push(this.#ring)
    return factsOf(text)
  }
}

/** The same from a whole answer. */
export function factsOfWhole (body: Buffer): TailFacts {
  return factsOf(body.toString('latin1', Math.max(0, body.length - capacityBytes)))
}

function factsOf (text: string): TailFacts {
  const timings = timingsIn(text)
  // Anthropic's input_tokens are those that were not in the cache.
  const cacheRead = lastNumber(text, '"cache_read_input_tokens":')
  const inputTokens = lastNumber(text, '"input_tokens":')
  const promptTokens = lastNumber(text, '"prompt_tokens":') ?? (inputTokens === undefined ? undefined : inputTokens + (cacheRead ?? 0)) ??
    (timings === undefined ? undefined : timings.prompt_n + (timings.cache_n ?? 0))
  const cachedTokens = timings?.cache_n ?? lastNumber(text, '"cached_tokens":') ?? cacheRead
  const outputTokens = lastNumber(text, '"completion_tokens":') ?? lastNumber(text, '"output_tokens":') ?? timings?.predicted_n
  return {
    ...(timings === undefined ? {} : { timings }),
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens })
  }
}

const wholeNumber = /\s*(\d+)/y

/** Searched from the end: a global pattern over 4 KB costs more than the rest of the record. */
function lastNumber (text: string, name: string): number | undefined {
  for (let at = text.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(name, at - 1)) {
    wholeNumber.lastIndex = at + name.length
    const found = wholeNumber.exec(text)?.[1]
    if (found !== undefined) return Number(found)
  }
  return undefined
}

function timingsIn (text: string): Timings | undefined {
  const at = text.lastIndexOf('"timings":')
  if (at < 0) return undefined
  const from = text.indexOf('{', at)
  try {
    const parsed: unknown = JSON.parse(text.slice(from, text.indexOf('}', from) + 1))
    return isTimings(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function isTimings (value: unknown): value is Timings {
  if (typeof value !== 'object' || value === null) return false
  return ['prompt_n', 'prompt_ms', 'predicted_n', 'predicted_ms'].every(name => typeof Reflect.get(value, name) === 'number')
}
