import type { OwnAnswer } from './answers.js'
import { Batch, type Load, type Member } from './batch.js'
import { BatchGain, lengthOf, type Choice, type Way } from './batch-gain.js'
import { batchingSchema, withBatchingDefaults, type BatchingOptions } from './batching-options.js'
import type { Answer, Call, Next, Policy, PolicyFactory, PolicyInstance, Port } from './contract.js'
import { embeddingInputsOf, type EmbeddingInputs } from './embedding-inputs.js'
import { ServerShare, type Sharer } from './server-share.js'
import { withWholeBody } from './whole-body.js'

/** Most of a joined answer; one that is longer is asked for in parts, alone. */
const MAX_ANSWER_BYTES = 64 * 2 ** 20

/** Small embeddings at one time are one call upstream, where that is faster. */
class Batching implements PolicyInstance {
  readonly #options: Required<BatchingOptions>
  readonly #port: Port
  readonly #open = new Map<string, Batch>()
  readonly #share = new ServerShare()
  readonly #counts = { batches: 0, joinedCalls: 0, joinedItems: 0, alone: 0, askedAgain: 0 }
  #gain: BatchGain
  /** What was learned belongs to it. */
  #model: string | undefined

  constructor (options: BatchingOptions, port: Port) {
    this.#options = withBatchingDefaults(options)
    this.#port = port
    this.#gain = new BatchGain(this.#options.minGain)
  }

  readonly gauges = (): Readonly<Record<string, number>> => ({ ...this.#counts, waiting: this.#open.size, joinedUpToTokens: Math.max(0, ...this.#gain.joined.map(tokens => 2 * tokens - 1)) })

  readonly drain = (): void => { this.#goAll() }

  readonly run: Policy = async (call, next) => {
    const inputs = embeddingInputsOf(call)
    if (inputs === undefined) return next(call, 'nothing that can be joined')
    this.#forgetOtherModel()
    for (;;) {
      call.signal.throwIfAborted()
      const member = { call, inputs }
      const open = this.#open.get(this.#togetherWith(inputs))
      if (open?.admits(member) === true) {
        this.#gain.joins(inputs.tokens / inputs.prompts.length, inputs.prompts.length)
        const answer = await open.board(member)
        if (answer !== undefined) return this.#followed(answer, open)
        // Its first one left before it went.
        if (open.calls === 0) continue
        return this.#again(member, next)
      }
      const choice = this.#choiceFor(inputs)
      if (choice.way === 'alone') return this.#alone(member, next, choice)
      return await this.#lead(member, next, choice) ?? this.#again(member, next)
    }
  }

  /** Equal for calls that may go together: a long input would lose what short ones gain. */
  #togetherWith ({ settings, prompts, tokens }: EmbeddingInputs): string {
    return this.#options.when === 'always' ? settings : `${lengthOf(tokens / prompts.length)} ${settings}`
  }

  /** Nobody waits for others on an idle server. */
  #choiceFor ({ prompts, tokens }: EmbeddingInputs): Choice {
    if (this.#share.size === 0) return { way: 'alone', why: 'nothing else is at upstream' }
    const { maxItems, maxTokens, when } = this.#options
    if (prompts.length >= maxItems || tokens >= maxTokens) return { way: 'alone', why: 'it is as much as goes at once' }
    return when === 'always' ? { way: 'joined', why: 'always' } : this.#gain.choose(tokens / prompts.length, prompts.length, this.#share.inputs)
  }

  async #lead (first: Member, next: Next, choice: Choice): Promise<Answer | undefined> {
    const { call } = first
    const key = this.#togetherWith(first.inputs)
    const { windowMs, maxItems, maxTokens } = this.#options
    const { clock, backend } = this.#port
    // One that is full, or whose first call is less urgent, goes now.
    this.#open.get(key)?.go()
    const batch: Batch = new Batch(first, {
      clock,
      windowMs,
      maxItems,
      maxTokens,
      places: this.#placesTogether,
      onClosed: () => { if (this.#open.get(key) === batch) this.#open.delete(key) },
      count: texts => backend.countTexts(texts),
      send: (joined, load, batchWaitMs) => {
        const calls = batch.calls
        if (calls > 1) {
          this.#counts.batches++
          this.#counts.joinedCalls += calls
          this.#counts.joinedItems += load.items
        }
        const facts = { batchCalls: calls, batchItems: load.items, batchWaitMs, ...gainFact(choice) }
        const why = calls > 1 ? choice.why : 'nobody came in its window'
        // One that nobody joined is of this way, too: it waited, and beside it the others are what this way costs.
        return this.#sent(call, 'joined', load, calls > 1, () => next(joined, why, facts))
      }
    })
    this.#open.set(key, batch)
    return await batch.board(first)
  }

  #alone (member: Member, next: Next, choice: Choice): Promise<Answer> {
    this.#counts.alone++
    const { call } = member
    const load = loadOf(member)
    return this.#sent(call, 'alone', load, false, () => next(call, choice.why, { batchItems: load.items, ...gainFact(choice) }))
  }

  /** The joined call was refused, or what it was answered cannot be divided: it may be one of them, and each finds out for itself. */
  #again (member: Member, next: Next): Promise<Answer> {
    const { call } = member
    call.signal.throwIfAborted()
    this.#counts.askedAgain++
    return this.#sent(call, 'alone', loadOf(member), false, () => next(call, 'alone: the joined call was not answered', { askedAgain: 1 }))
  }

  /** Sends a call and learns from its answer, of which it takes the whole body where that is to be divided. */
  async #sent (call: Call, way: Way, load: Load, isDivided: boolean, send: () => Promise<Answer>): Promise<Answer> {
    const { clock } = this.#port
    const decided = call.decisions.length
    const startedAtMs = clock.nowMs()
    const sharer: Sharer = {
      way,
      length: lengthOf(load.tokens / load.items),
      places: Math.min(load.items, this.#slots()),
      inputs: load.items,
      // A policy further in that lets nothing through yet has a decision without a step.
      sentAtMs: () => {
        const inner = call.decisions.slice(decided).findLast(({ mode }) => mode === 'on')
        return inner === undefined ? startedAtMs : inner.steps[0]?.atMs
      }
    }
    this.#share.enter(sharer, startedAtMs)
    try {
      const answer = await send()
      if (!isDivided) {
        answer.over.then(({ how }) => { this.#over(call, sharer, load, how === 'complete' && answer.status === 200) })
        return answer
      }
      const whole = await withWholeBody(answer, MAX_ANSWER_BYTES)
      this.#over(call, sharer, load, whole?.status === 200)
      if (whole === undefined) throw new Error('batching: the joined answer was cut')
      return whole
    } catch (error) {
      this.#over(call, sharer, load, false)
      throw error
    }
  }

  #slots (): number {
    return this.#port.backend.props()?.totalSlots ?? 1
  }

  /** Half of the slots: while one joined call is answered, divided and followed by the next one, llama-server has another. With all of them it stood still for that long. */
  readonly #placesTogether = (items: number): number => Math.min(items, Math.ceil(this.#slots() / 2))

  #over (call: Call, sharer: Sharer, { items, tokens }: Load, served: boolean): void {
    const ms = this.#share.leave(sharer, this.#port.clock.nowMs())
    if (served && ms !== undefined && call.shadow !== true) this.#gain.learn(sharer.way, tokens / items, items, ms)
    // Two at a time keep llama-server and the gateway busy; with one left, what waits is the second.
    if (this.#share.size <= 1) this.#goAll()
  }

  #goAll (): void {
    for (const batch of [...this.#open.values()]) batch.go()
  }

  #followed (answer: Answer, batch: Batch): OwnAnswer {
    return { ...answer, follows: batch.leader, because: 'joined', facts: { batchCalls: batch.calls, batchItems: batch.items } }
  }

  #forgetOtherModel (): void {
    const props = this.#port.backend.props()
    if (props === undefined) return
    const model = `${props.modelPath} ${props.buildInfo}`
    if (this.#model !== undefined && this.#model !== model) this.#gain = new BatchGain(this.#options.minGain)
    this.#model = model
  }
}

function loadOf ({ inputs: { prompts, tokens } }: Member): Load {
  return { items: prompts.length, tokens }
}

function gainFact ({ gain }: Choice): { readonly predictedGain?: number } {
  return gain === undefined ? {} : { predictedGain: Math.round(gain * 1000) / 1000 }
}

/** Joins small embeddings. Belongs right outside of `admission`, which hands out the places of the joined call. */
export const batching: PolicyFactory<BatchingOptions> = {
  name: 'batching',
  schema: batchingSchema,
  create: (options, port) => new Batching(options, port)
}
