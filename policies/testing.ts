import { openGrant } from './contract.js'
import type { Backend, BackendLoad, BackendProps, Served } from './backend-port.js'
import type { Answer, Body, Call, Clock, Outcome, Port } from './contract.js'
import { deferred } from './deferred.js'
import { needOf } from './need.js'
import { RelayBody } from './relay-body.js'
import type { SlotSeen } from './slot-table.js'
import { Unanswered } from './unanswered.js'

/** Lets everything run that only waits for promises. */
export async function settle (): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
}

/** A clock that moves only when the test says so; timers run in the order of their due time. */
export class FakeClock implements Clock {
  #nowMs = 1_000
  #lastHandle = 0
  readonly #timers = new Map<number, { readonly dueAtMs: number, readonly fn: () => void }>()

  nowMs (): number { return this.#nowMs }

  setTimeout (fn: () => void, delayMs: number): number {
    this.#timers.set(++this.#lastHandle, { dueAtMs: this.#nowMs + Math.max(0, delayMs), fn })
    return this.#lastHandle
  }

  clearTimeout (handle: unknown): void {
    if (typeof handle === 'number') this.#timers.delete(handle)
  }

  get timers (): number { return this.#timers.size }

  async advance (ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      await settle()
      const due = [...this.#timers].filter(([, timer]) => timer.dueAtMs <= untilMs).sort((a, b) => a[1].dueAtMs - b[1].dueAtMs || a[0] - b[0])[0]
      if (due === undefined) break
      this.#timers.delete(due[0])
      this.#nowMs = Math.max(this.#nowMs, due[1].dueAtMs)
      due[1].fn()
    }
    this.#nowMs = untilMs
    await settle()
  }
}

export function makeBody (json: Readonly<Record<string, unknown>>): Body {
  return { bytes: Buffer.from(JSON.stringify(json)), json, withJson: makeBody }
}

export interface TestCall extends Call {
  /** Nobody waits for the answer any more. */
  leave (): void
}

let lastCall = 0

/** A streamed chat completion unless told otherwise. */
export function makeCall (given: Partial<Call> = {}, json: Readonly<Record<string, unknown>> = { messages: [{ role: 'user', content: 'hi' }], stream: true }): TestCall {
  const controller = new AbortController()
  const path = given.path ?? '/v1/chat/completions'
  return {
    id: `call-${++lastCall}`,
    route: 'generation',
    path,
    method: 'POST',
    caller: 'test',
    grant: openGrant,
    headers: new Map([['content-type', 'application/json']]),
    body: makeBody(json),
    stream: json['stream'] === true,
    arrivedAtMs: 1_000,
    need: needOf(path, json),
    signal: controller.signal,
    decisions: [],
    leave: () => controller.abort(new Error('client left')),
    ...given
  }
}

/** One call that reached the held upstream; the test plays llama-server. */
export interface HeldCall {
  readonly call: Call
  /** Sends the headers: `next` resolves. The body is open until `end`, and what it consists of is `send`'s; whole when it is a string. */
  answer (status?: number, whole?: string, headers?: Answer['headers']): void
  /** One chunk of the body's stream. False: pause. */
  send (chunk: string): boolean
  /** Times that the body was resumed. */
  readonly resumed: number
  end (outcome?: Partial<Outcome>): void
  /** Upstream is free of the call. */
  release (): void
  /** `answer`, `end` and `release` at once. */
  complete (outcome?: Partial<Outcome>): void
  /** `next` rejects. With `unreleased`, `release` is needed to free upstream. */
  fail (message: string, how?: { readonly unreleased: boolean }): void
}

export interface HeldUpstream {
  readonly handler: (call: Call) => Promise<Answer>
  /** Every call that reached it, in order. */
  readonly calls: HeldCall[]
  /** Calls that are not released, and what they need of places. */
  readonly active: number
  readonly activePlaces: number
}

/** An upstream that does nothing until the test answers by hand. Cancellation reaches it as `call.signal`, and it ignores that. */
export function heldUpstream (): HeldUpstream {
  const calls: HeldCall[] = []
  let active = 0
  let activePlaces = 0
  return {
    calls,
    get active () { return active },
    get activePlaces () { return activePlaces },
    handler: call => {
      active++
      activePlaces += call.need.places
      const answered = deferred<Answer>()
      const over = deferred<Outcome>()
      const released = deferred<void>()
      let isReleased = false
      let resumed = 0
      let bytes = 0
      let stream: RelayBody | undefined
      const held: HeldCall = {
        call,
        get resumed () { return resumed },
        answer: (status = 200, whole = '', headers = {}) => {
          bytes = Buffer.byteLength(whole)
          if (call.stream && whole === '' && status === 200) stream = new RelayBody(() => { resumed++ })
          answered.resolve({ status, headers, body: stream ?? Buffer.from(whole), over: over.promise, released: released.promise })
        },
        send: chunk => {
          bytes += Buffer.byteLength(chunk)
          return stream?.deliver(Buffer.from(chunk)) ?? true
        },
        end: outcome => {
          if (outcome?.how === undefined || outcome.how === 'complete') stream?.finish()
          else stream?.fail(new Error(outcome.how))
          over.resolve({ how: 'complete', bytes, ...outcome })
        },
        release: () => {
          if (!isReleased) {
            active--
            activePlaces -= call.need.places
          }
          isReleased = true
          released.resolve()
        },
        complete: outcome => {
          held.answer()
          held.end(outcome)
          held.release()
        },
        fail: (message, how) => {
          if (how?.unreleased === true) {
            answered.reject(new Unanswered(message, released.promise))
          } else {
            held.release()
            answered.reject(new Error(message))
          }
        }
      }
      calls.push(held)
      return answered.promise
    }
  }
}

export interface TestPort extends Port {
  /** What `memory.recall` gives; what was kept is asked by `kept(name)`. */
  readonly remembered: Map<string, unknown>
  kept (name: string): unknown
  readonly clock: FakeClock
  props: BackendProps | undefined
  load: BackendLoad | undefined
  /** What `readSlots` answers: the state of each slot; undefined: this server does not say. */
  slots: readonly SlotSeen[] | undefined
  slotsRead: number
  /** What `moveSlot` was asked for, as `save 0 FILE`; an error in `movesFail` makes it reject. */
  readonly moved: string[]
  movesFail: Error | undefined
  /** What `countTokens` answers; an error makes it reject. */
  tokens: number | Error
  counted: number
  /** What `served` answers now; undefined: the backend does not say. */
  identity: string | undefined
  sampling: Readonly<Record<string, unknown>>
  /** Times that the backend itself was asked for it: the last reading was too old. */
  servedAsked: number
  /** What `promptTokens` answers; an error makes it reject. */
  promptTokens: readonly number[] | Error
  readonly warnings: Array<{ readonly facts: object, readonly message: string }>
}

export function makePort (): TestPort {
  const warnings: TestPort['warnings'] = []
  const remembered = new Map<string, unknown>()
  const keepers = new Map<string, () => unknown>()
  let reading: Served | undefined
  const port: TestPort = {
    clock: new FakeClock(),
    props: { totalSlots: 4, slotContextTokens: 2_048, modelPath: '/models/test.gguf', buildInfo: 'b1' },
    load: undefined,
    slots: undefined,
    slotsRead: 0,
    moved: [],
    movesFail: undefined,
    tokens: 10,
    counted: 0,
    identity: 'model',
    sampling: {},
    servedAsked: 0,
    promptTokens: [1, 2, 3],
    warnings,
    remembered,
    kept: name => keepers.get(name)?.(),
    memory: { recall: name => remembered.get(name), keep: (name, value) => { keepers.set(name, value) } },
    log: { info: () => undefined, warn: (facts, message) => { warnings.push({ facts, message }) } },
    backend: {
      props: () => port.props,
      load: () => port.load,
      served: async sinceMs => {
        if (reading === undefined || reading.atMs < sinceMs) {
          port.servedAsked++
          reading = port.identity === undefined ? undefined : { identity: port.identity, sampling: port.sampling, atMs: port.clock.nowMs() }
        }
        return reading
      },
      readSlots: async () => {
        port.slotsRead++
        const atMs = port.clock.nowMs()
        return port.slots === undefined ? undefined : { slots: port.slots, askedAtMs: atMs, atMs }
      },
      moveSlot: async (action, slot, file) => {
        port.moved.push(`${action} ${slot} ${file}`)
        if (port.movesFail !== undefined) throw port.movesFail
      },
      countTokens: async () => {
        port.counted++
        if (port.tokens instanceof Error) throw port.tokens
        return port.tokens
      },
      countTexts: async texts => texts.map(text => text.split(' ').length),
      promptTokens: async () => {
        if (port.promptTokens instanceof Error) throw port.promptTokens
        return port.promptTokens
      }
    } satisfies Backend
  }
  return port
}
