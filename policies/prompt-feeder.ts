import { Readable } from 'node:stream'
import type { Answer, Call, CallSignal, Port } from './contract.js'
import type { Ticket } from './ticket.js'
import { wholeBecause, type WholeReason } from './whole-prompt.js'

/** So many calls in a row must miss their chunks in the cache before it is believed that they always will: one may have lost them to a full KV pool. */
const MISSES = 2

/** What is known of a long prompt before its call waits. */
export interface LongPrompt {
  /** Token ids as upstream will see them; absent where it goes whole. */
  readonly tokens?: readonly number[]
  readonly whole?: WholeReason
  /** In shadow mode: so many chunks it would have been fed in. */
  readonly wouldTakeChunks?: number
}

/** A chunk that upstream evaluated. */
export interface ChunkOver {
  readonly evaluatedTokens: number
  /** Upstream's own time for it. */
  readonly tookMs: number
}

/** What was fed of a prompt before the call itself goes. */
export interface Fed {
  readonly chunks: number
  readonly fedTokens: number
  /** Tokens of them that upstream evaluated; the others it had before. */
  readonly evaluatedTokens: number
  readonly pausedMs: number
  /** Upstream failed on a chunk as it would have failed on the call: this is the call's answer. */
  readonly answer?: Answer
  /** Upstream had not kept the chunks before. */
  readonly missed: boolean
}

/** Nobody breaks a chunk off: it is over soon, and upstream would notice later than that (L7). */
const NEVER: CallSignal = { aborted: false, reason: undefined, throwIfAborted: () => undefined, addEventListener: () => undefined, removeEventListener: () => undefined }

/**
 * The mechanism of preemptible prefill: sends growing prefixes of a call's prompt, as token ids and with nothing to generate, into the slot that the call holds, so that the
 * call itself finds them in the cache (L16). Whether it does is checked each time; where it does not, prompts go whole from then on.
 */
export class PromptFeeder {
  readonly #port: Port
  readonly #gauges = { chunks: 0, fedCalls: 0, missedCalls: 0 }
  #missesInARow = 0
  /** The model in front of which it does not work. */
  #offOf: string | undefined

  constructor (port: Port) {
    this.#port = port
  }

  /** Chunks sent and calls fed since the start, calls that did not find their chunks in the cache; `prefillOff` 1: switched off for this model. */
  get gauges (): Readonly<Record<string, number>> {
    return { ...this.#gauges, prefillOff: this.#isOff ? 1 : 0 }
  }

  /** Rejects when the client leaves. @param chunkTokens of a chunk now */
  async promptOf (call: Call, chunkTokens: number): Promise<LongPrompt> {
    const reason = this.#isOff ? 'switched off' : wholeBecause(call)
    if (reason !== undefined) return { whole: reason }
    try {
      const tokens = await this.#port.backend.promptTokens(call, call.signal)
      call.need.promptTokens ??= tokens.length
      return call.shadow === true ? { whole: 'shadow mode', wouldTakeChunks: Math.ceil(tokens.length / chunkTokens) } : { tokens }
    } catch (error) {
      call.signal.throwIfAborted()
      this.#port.log.warn({ id: call.id, err: error }, 'admission: the backend did not tokenize a long prompt; it goes whole')
      return { whole: 'not tokenized' }
    }
  }

  /**
   * Feeds chunks as the ticket's turns allow, until the call itself may go. Rejects when the client left between two chunks; during one it is waited for, so that upstream is
   * free when this settles.
   * @param onChunk called for each chunk but the last
   */
  async feed (ticket: Ticket, tokens: readonly number[], slot: number, onChunk: (chunk: ChunkOver) => void): Promise<Fed> {
    const { call } = ticket
    let chunks = 0
    let fedTokens = 0
    let evaluatedTokens = 0
    this.#gauges.fedCalls++
    for (;;) {
      const { toTokens, last, pausedMs } = await ticket.turn.next(call.signal)
      const sofar = { chunks, fedTokens, evaluatedTokens, pausedMs, missed: false }
      if (last) return sofar
      const answer = await ticket.next(chunkOf(call, tokens.slice(0, toTokens), slot), chunks === 0 ? ticket.reason : 'chunk', chunks === 0 ? ticket.facts : {})
      if (answer.status >= 500) return { ...sofar, answer }
      if (answer.body instanceof Readable) answer.body.resume()
      const { timings } = await answer.over
      await answer.released
      call.signal.throwIfAborted()
      chunks++
      this.#gauges.chunks++
      if (timings === undefined || (timings.cache_n ?? 0) < fedTokens) return { ...sofar, chunks, missed: true }
      fedTokens = toTokens
      evaluatedTokens += timings.prompt_n
      onChunk({ evaluatedTokens: timings.prompt_n, tookMs: timings.prompt_ms })
    }
  }

  /** The call is over. @param cachedTokens of its prompt that upstream says it had; undefined when it does not say */
  check (call: Call, fed: Fed, cachedTokens: number | undefined): void {
    if (!fed.missed && cachedTokens === undefined) return
    if (!fed.missed && (cachedTokens ?? 0) >= fed.fedTokens) {
      this.#missesInARow = 0
      return
    }
    this.#gauges.missedCalls++
    if (++this.#missesInARow < MISSES || this.#isOff) return
    this.#offOf = this.#model
    this.#port.log.warn({ id: call.id, fedTokens: fed.fedTokens, cachedTokens: cachedTokens ?? 0, calls: this.#missesInARow }, 'admission: llama-server does not find the chunks of a prompt in its cache (another template or tokenizer than /apply-template and /tokenize use, a recurrent model, a full KV pool); long prompts go whole from now on')
  }

  get #isOff (): boolean {
    return this.#offOf !== undefined && this.#offOf === this.#model
  }

  get #model (): string {
    const props = this.#port.backend.props()
    return JSON.stringify([props?.modelPath, props?.buildInfo])
  }
}

/** A call that only evaluates these tokens. `response_fields`: what comes back is small, whatever the prompt. */
function chunkOf (call: Call, prompt: readonly number[], slot: number): Call {
  const json = { prompt, n_predict: 0, cache_prompt: true, id_slot: slot, stream: false, response_fields: ['timings'] }
  const chunk: Call = Object.create(call, Object.fromEntries(Object.entries({
    path: '/completion',
    body: call.body.withJson(json),
    stream: false,
    chunk: true,
    need: { promptTokens: prompt.length, maxTokens: 0, places: 1 },
    signal: NEVER,
    progress: undefined,
    decisions: []
  }).map(([name, value]) => [name, { value, enumerable: true, writable: true }])))
  return chunk
}
