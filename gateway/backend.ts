import type { Backend, BackendLoad, BackendProps, Served } from '../policies/backend-port.js'
import type { Call, CallSignal, Clock } from '../policies/contract.js'
import type { SlotsReading } from '../policies/slot-table.js'
import { abortSignalOf } from './abort-signal.js'
import type { Poller } from './poller.js'
import { countRouteOf, promptsOf } from './prompt.js'
import { ServedModel } from './served-model.js'
import { objectIn } from './upstream-get.js'
import type { UpstreamGet } from './upstream-get.js'

export type BackendState = 'ready' | 'loading' | 'lost'

/** Time between two looks for a llama-server that is loading or away, milliseconds. */
const lookAgainMs = 1000

/** No token's id. */
const BETWEEN_TEXTS = -1

/** What the gateway knows of its llama-server. All routes behind it need no slot (L15). */
export class UpstreamBackend implements Backend {
  readonly #get: UpstreamGet
  readonly #poller: Poller
  readonly #clock: Clock
  readonly #model: ServedModel
  #props: BackendProps | undefined
  #state: BackendState = 'lost'
  #awaySinceMs: number
  #looking = false
  #closed = false
  #timer: unknown

  constructor (get: UpstreamGet, poller: Poller, clock: Clock) {
    this.#get = get
    this.#poller = poller
    this.#clock = clock
    this.#model = new ServedModel(get, clock)
    this.#awaySinceMs = clock.nowMs()
  }

  readonly props = (): BackendProps | undefined => this.#props
  readonly load = (): BackendLoad | undefined => this.#poller.load

  async served (sinceMs: number): Promise<Served | undefined> {
    return await this.#model.served(sinceMs)
  }

  /** A request that changes what is served passes through the gateway: told before and after. */
  changed (): void {
    this.#model.changed()
  }

  readSlots (): Promise<SlotsReading | undefined> {
    return this.#poller.readSlots()
  }

  /** llama-server answers when it is done; longer than any of our questions may take it does not count as done. */
  async moveSlot (action: 'save' | 'restore', slot: number, file: string): Promise<void> {
    await this.#get.post(`/slots/${slot}?action=${action}`, { filename: file })
  }

  get state (): BackendState {
    return this.#state
  }

  /** Seconds a client should wait while upstream is away: as long as it has been away, from 1 to 30. */
  retryAfterSeconds (): number {
    return Math.min(30, Math.max(1, (this.#clock.nowMs() - this.#awaySinceMs) / 1e3))
  }

  /** Asks for `/props` until llama-server answers. Resolves after the first look, however it went. */
  async look (): Promise<void> {
    if (this.#closed || this.#looking) return
    this.#looking = true
    try {
      const fetched = await this.#get.get('/props')
      if (fetched.status === 200) {
        this.#props = propsIn(objectIn(fetched.body, '/props'))
        this.#state = 'ready'
      } else {
        this.#away('loading')
      }
    } catch {
      this.#away('lost')
    } finally {
      this.#looking = false
    }
    if (this.#state !== 'ready' && !this.#closed) this.#timer = this.#clock.setTimeout(() => { this.look().catch(() => {}) }, lookAgainMs)
  }

  /** Whether it has unloaded its model (`--sleep-idle-seconds`). `/props` does not wake it (L17). Builds that cannot sleep say nothing of it. */
  async sleeping (): Promise<boolean> {
    try {
      const { status, body } = await this.#get.get('/props')
      return status === 200 && objectIn(body, '/props')['is_sleeping'] === true
    } catch {
      return false
    }
  }

  /** A call found upstream gone: what is known of it no longer holds. */
  lost (): void {
    if (this.#state !== 'ready') return
    this.#away('lost')
    this.look().catch(() => {})
  }

  /** For /readyz: `/health` answers at any load (L10). */
  async check (): Promise<BackendState> {
    try {
      const { status } = await this.#get.get('/health')
      if (status !== 200) return 'loading'
      if (this.#state !== 'ready') await this.look()
      return this.#state
    } catch {
      this.lost()
      return 'lost'
    }
  }

  /** The longest one, when the call carries several prompts: each has a slot of its own. */
  async countTokens (call: Call, leave: CallSignal): Promise<number> {
    const signal = abortSignalOf(leave)
    const route = countRouteOf(call.path)
    if (route !== undefined) {
      const { input_tokens: tokens } = await this.#get.post(route, call.body.json, signal)
      if (typeof tokens !== 'number') throw new Error(`llama-server answered ${route} without input_tokens`)
      return tokens
    }
    const prompts = await promptsOf(call, json => this.#render(json, signal))
    const counts = await Promise.all(prompts.map(async prompt => typeof prompt === 'number' ? prompt : (await this.#tokenize(prompt, signal)).length))
    return Math.max(0, ...counts)
  }

  /** llama-server tokenizes each text of an array by itself, and leaves a number between them as it is. */
  async countTexts (texts: readonly string[]): Promise<readonly number[]> {
    const content = texts.flatMap((text, index) => index === 0 ? [text] : [BETWEEN_TEXTS, text])
    const { tokens } = await this.#get.post('/tokenize', { content, add_special: false, parse_special: true })
    if (!Array.isArray(tokens)) throw new Error('llama-server answered /tokenize without tokens')
    const counts = countsBetween(tokens)
    if (counts.length !== texts.length) throw new Error(`llama-server answered /tokenize of ${texts.length} texts with ${counts.length}`)
    return counts
  }

  async promptTokens (call: Call, leave: CallSignal): Promise<readonly number[]> {
    const { prompt } = call.body.json
    if (Array.isArray(prompt)) return prompt
    const signal = abortSignalOf(leave)
    const [text] = await promptsOf(call, json => this.#render(json, signal))
    if (typeof text !== 'string') throw new Error(`the prompt of ${call.path} is no text`)
    return await this.#tokenize(text, signal)
  }

  async #render (json: unknown, signal: AbortSignal): Promise<string> {
    const { prompt } = await this.#get.post('/apply-template', json, signal)
    if (typeof prompt !== 'string') throw new Error('llama-server answered /apply-template without a prompt')
    return prompt
  }

  async #tokenize (content: string, signal: AbortSignal): Promise<readonly number[]> {
    const { tokens } = await this.#get.post('/tokenize', { content, add_special: true, parse_special: true }, signal)
    if (!Array.isArray(tokens)) throw new Error('llama-server answered /tokenize without tokens')
    return tokens
  }

  close (): void {
    this.#closed = true
    this.#clock.clearTimeout(this.#timer)
  }

  #away (state: 'loading' | 'lost'): void {
    if (this.#state === 'ready') this.#awaySinceMs = this.#clock.nowMs()
    this.#state = state
    this.#props = undefined
    this.#model.forget()
  }
}

function countsBetween (tokens: readonly unknown[]): number[] {
  const counts = [0]
  for (const token of tokens) {
    if (token === BETWEEN_TEXTS) counts.push(0)
    else counts.push((counts.pop() ?? 0) + 1)
  }
  return counts
}

function propsIn (json: Readonly<Record<string, unknown>>): BackendProps {
  const settings: unknown = json['default_generation_settings']
  const context: unknown = Reflect.get(Object(settings), 'n_ctx')
  return {
    totalSlots: typeof json['total_slots'] === 'number' ? json['total_slots'] : 1,
    slotContextTokens: typeof context === 'number' ? context : Infinity,
    modelPath: String(json['model_path'] ?? ''),
    buildInfo: String(json['build_info'] ?? '')
  }
}
