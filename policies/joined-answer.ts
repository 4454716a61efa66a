import { fieldsOf, partsAt, type Place } from './json-places.js'

/**
 * llama-server's answer to a call with several inputs, to be given out in parts. The vectors are handed on as the bytes that came: no number is read. What is written
 * anew is `index`, and `usage`, which llama-server gives as a sum.
 */
export class JoinedAnswer {
  /** Of all inputs; undefined in the form without usage. */
  readonly promptTokens: number | undefined
  readonly #items: readonly string[]
  readonly #frame: (items: string, promptTokens: number) => string

  private constructor (items: readonly string[], frame: (items: string, promptTokens: number) => string, promptTokens?: number) {
    this.#items = items
    this.#frame = frame
    this.promptTokens = promptTokens
  }

  /** Undefined: not one of the two forms that are known, or not as many vectors as inputs. */
  static read (body: Buffer, inputs: number): JoinedAnswer | undefined {
    const text = body.toString()
    if (/^\s*\[/.test(text)) {
      const items = itemsAt(text, text.indexOf('['), inputs)
      return items === undefined ? undefined : new JoinedAnswer(items, part => `[${part}]`)
    }
    const fields = /^\s*\{/.test(text) ? fieldsOf(text) : undefined
    const data = fields?.get('data')
    const usage = fields?.get('usage')
    if (data === undefined || usage === undefined || text[data.from] !== '[') return undefined
    const items = itemsAt(text, data.from, inputs)
    const promptTokens = tokensOf(text.slice(usage.from, usage.to))
    if (items === undefined || promptTokens === undefined) return undefined
    return new JoinedAnswer(items, (part, tokens) => replaced(text, [[data, `[${part}]`], [usage, `{"prompt_tokens":${tokens},"total_tokens":${tokens}}`]]), promptTokens)
  }

  /** As if these inputs had been asked alone. @param promptTokens theirs; not read in the form without usage */
  part (from: number, count: number, promptTokens: number): Buffer {
    const items = this.#items.slice(from, from + count).map((item, index) => item.replace(INDEX, `$1${index}`))
    return Buffer.from(this.#frame(items.join(','), promptTokens))
  }
}

const INDEX = /("index"\s*:\s*)(\d+)/

/** In the order of their index. */
function itemsAt (text: string, at: number, inputs: number): string[] | undefined {
  const items = new Map(partsAt(text, at).map(({ from, to }) => {
    const item = text.slice(from, to)
    return [Number(INDEX.exec(item)?.[2] ?? NaN), item]
  }))
  const ordered = Array.from({ length: inputs }, (_, index) => items.get(index))
  return items.size === inputs && ordered.every(item => item !== undefined) ? ordered : undefined
}

/** Nothing but a sum of prompts can be divided. */
function tokensOf (usage: string): number | undefined {
  const found = /^\{\s*"prompt_tokens"\s*:\s*(\d+)\s*,\s*"total_tokens"\s*:\s*(\d+)\s*\}\s*$/.exec(usage)
  return found !== null && found[1] === found[2] ? Number(found[1]) : undefined
}

function replaced (text: string, changes: ReadonlyArray<readonly [Place, string]>): string {
  let done = ''
  let at = 0
  for (const [{ from, to }, by] of [...changes].sort(([a], [b]) => a.from - b.from)) {
    done += text.slice(at, from) + by
    at = to
  }
  return done + text.slice(at)
}
