import { createHash } from 'node:crypto'
import type { Served } from '../policies/backend-port.js'
import type { Clock } from '../policies/contract.js'
import { objectIn } from './upstream-get.js'
import type { UpstreamGet } from './upstream-get.js'

/** `/props` needs no slot and is answered at once; whoever waits longer for it than this, milliseconds, goes on without. */
const patienceMs = 1_000

type Json = Readonly<Record<string, unknown>>

interface Asking {
  readonly atMs: number
  readonly answer: Promise<Served | undefined>
}

/**
 * Knows what llama-server serves, for policies that give an answer twice. `/props` says nearly all of it, in newer builds also which start of the server it is (the media
 * marker is drawn at each). Adapters are asked for where there were any, and when something changed: that question goes through llama-server's queue.
 */
export class ServedModel {
  readonly #get: UpstreamGet
  readonly #clock: Clock
  readonly #now: () => Date
  #last: Served | undefined
  #asking: Asking | undefined
  #adapters: { readonly ofProps: string, readonly text: string } | undefined
  #changes = 0

  /** @param now wall clock, for templates that write the date */
  constructor (get: UpstreamGet, clock: Clock, now = () => new Date()) {
    this.#get = get
    this.#clock = clock
    this.#now = now
  }

  /** See `Backend.served`. Never rejects. */
  async served (sinceMs: number): Promise<Served | undefined> {
    if (this.#last !== undefined && this.#last.atMs >= sinceMs) return this.#last
    if (this.#asking === undefined || this.#asking.atMs < sinceMs) this.#asking = this.#ask()
    return await this.#asking.answer
  }

  /** Something of it was changed through the gateway, or is about to be. */
  changed (): void {
    this.#changes++
    this.forget()
  }

  /** The server went away, or may have. */
  forget (): void {
    this.#last = this.#asking = this.#adapters = undefined
  }

  #ask (): Asking {
    const atMs = this.#clock.nowMs()
    const controller = new AbortController()
    const timer = this.#clock.setTimeout(() => { controller.abort(new Error(`/props took longer than ${patienceMs} ms`)) }, patienceMs)
    const changes = this.#changes
    const answer = this.#read(atMs, controller.signal).catch(() => undefined).then(served => {
      this.#clock.clearTimeout(timer)
      if (changes !== this.#changes || this.#asking !== asking) return undefined
      this.#last = served
      this.#asking = undefined
      return served
    })
    const asking = { atMs, answer }
    return asking
  }

  async #read (atMs: number, signal: AbortSignal): Promise<Served | undefined> {
    const changes = this.#changes
    const fetched = await this.#get.get('/props', signal)
    if (fetched.status !== 200) return undefined
    const { is_sleeping: _, ...props } = objectIn(fetched.body, '/props')
    if (typeof props['model_path'] !== 'string' || props['model_path'] === '') return undefined
    const date = dateIn(props, this.#now())
    if (date === 'time of day') return undefined
    const text = JSON.stringify(props)
    const adapters = await this.#adaptersOf(text, signal)
    const identity = createHash('sha256').update(JSON.stringify([text, adapters, changes, date])).digest('base64')
    return { identity, sampling: samplingIn(props), atMs }
  }

  /** Scales of LoRA adapters; that there are none holds as long as the server is the same. */
  async #adaptersOf (ofProps: string, signal: AbortSignal): Promise<string> {
    if (this.#adapters?.ofProps === ofProps && this.#adapters.text === '[]') return '[]'
    const { status, body } = await this.#get.get('/lora-adapters', signal)
    // A server without this route has no adapters that could change.
    const text = status === 200 ? body.trim() : '[]'
    this.#adapters = { ofProps, text }
    return text
  }
}

function samplingIn (props: Json): Json {
  const params: unknown = Reflect.get(Object(props['default_generation_settings']), 'params')
  return typeof params === 'object' && params !== null ? { ...params } : {}
}

/** What a template writes of the moment: the date, nothing, or more than a date. */
function dateIn (props: Json, now: Date): string {
  const templates = Object.entries(props).filter(([name]) => name.startsWith('chat_template')).map(([, value]) => String(value)).join('\n')
  const formats = [...templates.matchAll(/strftime_now\(\s*(?:'([^']*)'|"([^"]*)")?/g)].map(([, single, double]) => single ?? double)
  if (formats.some(format => format === undefined || /%[-_^#]?[HIMSTXRcrspklP]/.test(format))) return 'time of day'
  return formats.length > 0 || /\bdate_string\b/.test(templates) ? now.toDateString() : ''
}
