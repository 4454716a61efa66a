import type { OwnAnswer } from './answers.js'
import { AnswerStore, type StoredAnswer } from './answer-store.js'
import { freshnessOf } from './cache-control.js'
import { keyOf } from './call-key.js'
import type { Served } from './backend-port.js'
import type { Answer, Call, Next, Policy, PolicyFactory, PolicyInstance, Port } from './contract.js'
import { isDeterministic, refersElsewhere } from './determinism.js'
import { keptHeaders, mayBeKept, recorded } from './recording.js'
import { replay, templateOf } from './replay.js'
import { responseCacheSchema, withCacheDefaults, type ResponseCacheOptions } from './response-cache-options.js'

/** A change of the model behind the gateway's back may go unseen for so long, milliseconds: `/props` is asked no more often. */
const IDENTITY_AGE_MS = 2_000

/** What the client is told of it: `hit`, `miss`, `bypass`; `coalesced` by `single-flight`, which may stand further in. */
export const cacheHeader = 'x-weir-cache'

interface Looked {
  readonly key: string
  readonly stored: StoredAnswer | undefined
}

/** Exact answers, kept for calls that have but one. */
class ResponseCache implements PolicyInstance {
  readonly #options: Required<ResponseCacheOptions>
  readonly #port: Port
  readonly #store: AnswerStore
  readonly #counts = { hits: 0, misses: 0, bypassed: 0, hitBytes: 0 }
  /** What all stored answers came from. */
  #identity: string | undefined

  constructor (options: ResponseCacheOptions, port: Port) {
    this.#options = withCacheDefaults(options)
    this.#port = port
    this.#store = new AnswerStore({ maxBytes: this.#options.maxBytes, ttlMs: this.#options.ttlSeconds * 1e3 })
  }

  readonly gauges = (): Readonly<Record<string, number>> => ({ ...this.#counts, entries: this.#store.entries, bytes: this.#store.bytes, ...this.#store.counts })

  readonly drain = (): void => {}

  readonly run: Policy = async (call, next) => {
    const freshness = freshnessOf(call.headers.get('cache-control'))
    if (freshness.noStore) return this.#bypass(call, next, 'no-store asked for')
    const looked = await this.#look(call)
    call.signal.throwIfAborted()
    if (typeof looked === 'string') return this.#bypass(call, next, looked)
    const { key, stored } = looked
    const nowMs = this.#port.clock.nowMs()
    if (freshness.fresh) return this.#miss(call, next, key, 'a fresh answer asked for', 'bypass')
    if (stored !== undefined && nowMs - stored.endedAtMs <= freshness.maxAgeMs) return this.#hit(stored, nowMs)
    return this.#miss(call, next, key, 'not stored', 'miss')
  }

  /** Where its answer lies and whether it does, or why it can have none there. */
  async #look (call: Call): Promise<Looked | string> {
    const nowMs = this.#port.clock.nowMs()
    const looked = this.#lookIn(await this.#port.backend.served(nowMs - IDENTITY_AGE_MS), call)
    if (typeof looked === 'string' || looked.stored === undefined) return looked
    // What answered it was the model of its key only if that is there after its end, too.
    return this.#lookIn(await this.#port.backend.served(Math.max(looked.stored.endedAtMs, nowMs - IDENTITY_AGE_MS)), call)
  }

  #lookIn (served: Served | undefined, call: Call): Looked | string {
    if (served === undefined) return 'model unknown'
    if (served.identity !== this.#identity) this.#store.flush()
    this.#identity = served.identity
    if (!isDeterministic(call, served.sampling)) return 'not deterministic'
    if (refersElsewhere(call.body.json)) return 'media elsewhere'
    const key = keyOf(call, this.#options.sharedAmong, served.identity)
    if (key === undefined) return 'body not readable'
    return { key, stored: this.#store.get(key, this.#port.clock.nowMs()) }
  }

  async #bypass (call: Call, next: Next, why: string): Promise<Answer> {
    this.#counts.bypassed++
    return marked(await next(call, why), 'bypass')
  }

  async #miss (call: Call, next: Next, key: string, why: string, mark: 'miss' | 'bypass'): Promise<Answer> {
    if (mark === 'miss') this.#counts.misses++
    else this.#counts.bypassed++
    const identity = this.#identity
    const answer = marked(await next(call, why), mark)
    // The one that others follow keeps it, if it stays to the end.
    if (!mayBeKept(answer) || answer.headers[cacheHeader] === 'coalesced') return answer
    return recorded(answer, this.#options.maxAnswerBytes, body => {
      if (identity !== this.#identity) return
      const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
      this.#store.set(key, { headers: keptHeaders(answer.headers), template: templateOf(body, isStream), endedAtMs: this.#port.clock.nowMs() })
    })
  }

  #hit ({ headers, template, endedAtMs }: StoredAnswer, nowMs: number): OwnAnswer {
    const ageMs = nowMs - endedAtMs
    const body = replay(template, ageMs)
    this.#counts.hits++
    this.#counts.hitBytes += body.length
    return {
      status: 200,
      headers: { ...headers, age: String(Math.floor(ageMs / 1e3)), [cacheHeader]: 'hit' },
      body,
      over: Promise.resolve({ how: 'complete', bytes: body.length, firstByteAtMs: nowMs }),
      released: Promise.resolve(),
      because: 'stored',
      facts: { ageMs, bytes: body.length }
    }
  }
}

function marked (answer: Answer, mark: string): Answer {
  return answer.headers[cacheHeader] === undefined ? { ...answer, headers: { ...answer.headers, [cacheHeader]: mark } } : answer
}

/** Answers again what was asked before. Belongs outside of `admission`, and inside of what changes a call by who asks (`prompt-cap`). */
export const responseCache: PolicyFactory<ResponseCacheOptions> = {
  name: 'response-cache',
  schema: responseCacheSchema,
  create: (options, port) => new ResponseCache(options, port)
}
