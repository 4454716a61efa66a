import type { Answer, Call, Clock } from './contract.js'
import { dividedUsage } from './divided-usage.js'
import type { EmbeddingInputs } from './embedding-inputs.js'
import { Flight } from './flight.js'
import { JoinedAnswer } from './joined-answer.js'
import { keptHeaders, mayBeKept } from './recording.js'
import { withJson } from './with-json.js'

export interface Member {
  readonly call: Call
  readonly inputs: EmbeddingInputs
}

/** What goes upstream at once. */
export interface Load {
  readonly items: number
  /** As estimated. */
  readonly tokens: number
}

export interface BatchOptions {
  readonly clock: Clock
  readonly windowMs: number
  readonly maxItems: number
  readonly maxTokens: number
  /** Of so many inputs that go together. */
  readonly places: (items: number) => number
  /** Told once, when nobody can join any more. */
  readonly onClosed: () => void
  /** Sends the joined call, or that of the only one; told how much it is and the milliseconds that the first one waited. */
  readonly send: (call: Call, load: Load, waitedMs: number) => Promise<Answer>
  /** Tokens of texts without special ones, in order. */
  readonly count: (texts: readonly string[]) => Promise<readonly number[]>
}

interface Sent {
  readonly answer: JoinedAnswer | undefined
  readonly tokens: readonly number[]
}

/**
 * Calls that wait a moment to go upstream as one, and share it then. What goes is a flight: the call of none of them, which ends when the last one left. When the first one
 * leaves before it went, the others start again.
 */
export class Batch {
  readonly #first: Member
  readonly #options: BatchOptions
  readonly #flight: Flight
  readonly #members: Member[] = []
  readonly #startedAtMs: number
  readonly #timer: unknown
  #closed = false
  #aboard: readonly Member[] = []
  #sent: Promise<Sent> | undefined
  /** By a policy further in: of the load at this moment, and of calls no less urgent than the first. Asked again one by one they would only be more. */
  #refusal: Answer | undefined

  constructor (first: Member, options: BatchOptions) {
    this.#first = first
    this.#options = options
    const { clock, windowMs } = options
    this.#startedAtMs = clock.nowMs()
    this.#flight = new Flight(first.call, true, { clock, maxBehindBytes: Infinity, retryGraceMs: 0, onClosed: () => undefined })
    this.#timer = clock.setTimeout(() => { this.go() }, windowMs)
  }

  /** The id of the call under which it goes. */
  get leader (): string { return this.#first.call.id }
  /** Calls and inputs that went together. */
  get calls (): number { return this.#aboard.length }
  get items (): number { return itemsOf(this.#aboard) }

  admits ({ call, inputs }: Member): boolean {
    const { maxItems, maxTokens } = this.#options
    return !this.#closed && this.#flight.admits(call) &&
      itemsOf(this.#members) + inputs.prompts.length <= maxItems && tokensOf(this.#members) + inputs.tokens <= maxTokens
  }

  /**
   * Waits for the call's part of the answer. Undefined: there is none, and it must be asked alone. Rejects when the call leaves, and for the last one that left with what upstream threw.
   */
  async board (member: Member): Promise<Answer | undefined> {
    this.#members.push(member)
    const boarded = this.#flight.board(member.call)
    if (member === this.#first) member.call.signal.addEventListener('abort', () => { this.#dissolve() }, { once: true })
    if (itemsOf(this.#members) >= this.#options.maxItems || tokensOf(this.#members) >= this.#options.maxTokens) this.go()
    const answer = await this.#orAlone(boarded, member)
    if (this.#refusal !== undefined) return this.#refusal
    if (answer === undefined || this.#aboard.length === 1) return answer
    if (member.call.shadow === true) return answer
    const sent = mayBeKept(answer) ? await this.#sent : undefined
    return sent?.answer === undefined ? undefined : this.#part(answer, sent.answer, sent.tokens, member)
  }

  /** The window is over, or there is no reason to wait any more. */
  go (): void {
    if (this.#closed) return
    this.#close()
    this.#aboard = this.#members.filter(({ call }) => !call.signal.aborted)
    const prompts = this.#aboard.flatMap(({ inputs }) => inputs.prompts)
    const joins = this.#aboard.length > 1
    const call = joins ? this.#joined(prompts) : this.#flight.call
    const sending = this.#options.send(call, { items: prompts.length, tokens: tokensOf(this.#aboard) }, this.#options.clock.nowMs() - this.#startedAtMs)
    const counting = joins ? this.#count(prompts) : undefined
    sending.then(answer => {
      if (answer.reason !== undefined) this.#refusal = answer
      if (counting !== undefined) this.#sent = this.#read(answer, prompts, counting)
      this.#flight.answered(answer)
    }, error => { this.#flight.failed(error) })
  }

  /** Only where the answer has a usage that is to be divided; meanwhile llama-server computes. */
  async #count (prompts: EmbeddingInputs['prompts']): Promise<readonly number[]> {
    const { call, inputs: { field } } = this.#first
    const texts = field === 'input' && call.path.startsWith('/v1/') && call.shadow !== true ? prompts.filter(prompt => typeof prompt === 'string') : []
    return texts.length === 0 ? [] : await this.#options.count(texts).catch(() => [])
  }

  /** A fault of what was joined is nobody's: each asks for itself. */
  async #orAlone (boarded: Promise<Answer | undefined>, { call }: Member): Promise<Answer | undefined> {
    try {
      return await boarded
    } catch (error) {
      if (call.signal.aborted || this.#aboard.length === 1) throw error
      return undefined
    }
  }

  #dissolve (): void {
    if (this.#closed) return
    this.#close()
    this.#flight.failed(this.#first.call.signal.reason)
  }

  #close (): void {
    this.#closed = true
    this.#options.clock.clearTimeout(this.#timer)
    this.#options.onClosed()
  }

  #joined (prompts: EmbeddingInputs['prompts']): Call {
    const { call } = this.#flight
    const { field } = this.#first.inputs
    const promptTokens = this.#aboard.map(({ call: { need } }) => need.promptTokens)
    const need = { maxTokens: 0, places: this.#options.places(prompts.length), ...(promptTokens.every(tokens => tokens !== undefined) ? { promptTokens: Math.max(...promptTokens) } : {}) }
    return Object.create(withJson(call, { ...call.body.json, [field]: prompts }), { need: { value: need, enumerable: true } }) as Call
  }

  async #read ({ body, status }: Answer, prompts: EmbeddingInputs['prompts'], counting: Promise<readonly number[]>): Promise<Sent> {
    const answer = status === 200 && body instanceof Buffer ? JoinedAnswer.read(body, prompts.length) : undefined
    if (answer?.promptTokens === undefined) return { answer, tokens: prompts.map(() => 0) }
    const tokens = dividedUsage(prompts, await counting, answer.promptTokens)
    return tokens === undefined ? { answer: undefined, tokens: [] } : { answer, tokens }
  }

  #part (answer: Answer, joined: JoinedAnswer, tokens: readonly number[], member: Member): Answer {
    const from = itemsOf(this.#aboard.slice(0, this.#aboard.indexOf(member)))
    const count = member.inputs.prompts.length
    const body = joined.part(from, count, tokens.slice(from, from + count).reduce((sum, one) => sum + one, 0))
    return { ...answer, headers: keptHeaders(answer.headers), body, over: answer.over.then(outcome => ({ ...outcome, bytes: body.length })) }
  }
}

function itemsOf (members: readonly Member[]): number {
  return members.reduce((sum, { inputs }) => sum + inputs.prompts.length, 0)
}

function tokensOf (members: readonly Member[]): number {
  return members.reduce((sum, { inputs }) => sum + inputs.tokens, 0)
}
