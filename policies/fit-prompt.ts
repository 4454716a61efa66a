import type { OwnAnswer } from './answers.js'
import type { CallCaps } from './caps.js'
import type { Body, Call, Port } from './contract.js'
import { withLongestPrompt } from './longest-prompt.js'
import { promptTokensBound } from './prompt-bound.js'
import { PromptCounts } from './prompt-counts.js'
import { tokenLimit, tooLong, tooMuch } from './prompt-refusals.js'
import { excessOf, promptShape, type PromptShape } from './prompt-shape.js'
import { fewestTurns, Truncation } from './truncate.js'
import { withJson } from './with-json.js'

type Found = { readonly how: 'counted', readonly tokens: number } | { readonly how: 'bounded' | 'uncounted' }

/** A prompt within its caps, as it came or without its oldest turns. */
export type Fits = Found & { readonly body: Body, readonly dropped: number }

export type Fitted = Fits | { readonly how: 'refused', readonly answer: OwnAnswer }

/** Holds prompts to their caps: first to what can be seen of them, then, by round trips to the backend, to tokens. */
export class PromptFitter {
  readonly #port: Port
  readonly #counts: PromptCounts
  readonly #truncates: boolean

  constructor (port: Port, truncates: boolean) {
    this.#port = port
    this.#counts = new PromptCounts(port.backend)
    this.#truncates = truncates
  }

  /** Rejects when the client leaves during a count. */
  async fit (call: Call, caps: CallCaps): Promise<Fitted> {
    if (!isJson(call)) return { how: 'uncounted', body: call.body, dropped: 0 }
    const truncation = this.#truncates ? Truncation.of(call) : undefined
    const most = truncation?.most ?? 0
    const shapeWithout = (turns: number): PromptShape => truncation?.shape(turns) ?? promptShape(call)
    const without = (turns: number): Call => truncation === undefined || turns === 0 ? call : withJson(call, truncation.json(turns))

    let dropped = 0
    let excess = excessOf(caps, () => shapeWithout(0))
    while (excess !== undefined && dropped < most) {
      const turns = ++dropped
      excess = excessOf(caps, () => shapeWithout(turns))
    }
    if (excess !== undefined) return { how: 'refused', answer: tooMuch(excess, dropped) }

    const remaining = without(dropped)
    const limit = tokenLimit(caps, this.#port.backend.props()?.slotContextTokens ?? Infinity)
    if (limit === undefined) return { how: 'uncounted', body: remaining.body, dropped }
    const found = await this.#find(remaining, limit.tokens)
    if (found.how !== 'counted' || found.tokens <= limit.tokens) return { ...found, body: remaining.body, dropped }
    const least = await fewestTurns({
      tooLong: { dropped, tokens: found.tokens },
      most,
      limitTokens: limit.tokens,
      charsLeft: turns => shapeWithout(turns).chars,
      tokensLeft: turns => this.#count(without(turns))
    })
    if (least.tokens > limit.tokens) return { how: 'refused', answer: tooLong(least.tokens, limit, least.dropped) }
    return { how: 'counted', tokens: least.tokens, body: without(least.dropped).body, dropped: least.dropped }
  }

  async #find (call: Call, limitTokens: number): Promise<Found> {
    const single = withLongestPrompt(call)
    const boundTokens = promptTokensBound(single)
    if (boundTokens !== undefined && boundTokens <= limitTokens) return { how: 'bounded' }
    const tokens = await this.#count(single)
    return tokens === undefined ? { how: 'uncounted' } : { how: 'counted', tokens }
  }

  /** Undefined when the backend does not count: no call waits for that. */
  async #count (call: Call): Promise<number | undefined> {
    try {
      return await this.#counts.count(call)
    } catch (error) {
      if (call.signal.aborted) throw error
      this.#port.log.warn({ id: call.id, err: error }, 'prompt-cap: the backend did not count a prompt')
      return undefined
    }
  }
}

/** False: an upload, of which only the size is known. */
export function isJson (call: Call): boolean {
  return !call.headers.get('content-type')?.startsWith('multipart/')
}
