/**
 * The contract between the gateway and its policies. No HTTP and no Fastify in this folder: a policy sees a call, may
 * pass it on with `next`, and returns an answer. Everything else (record, metrics, headers) is derived from what it did.
 */
import type { Readable } from 'node:stream'
import type { Backend } from './backend-port.js'

/** What kind of work a route is for llama-server; decides whether it goes through the chain. */
export type RouteClass = 'generation' | 'slot-bound' | 'free' | 'admin' | 'special' | 'blocked'

/** A request body, parsed once. `bytes` is what the client sent and is what goes upstream while `json` was not changed. */
export interface Body {
  readonly bytes: Buffer
  /** The parsed object. Frozen by convention: a policy that changes it calls `withJson`. */
  readonly json: Readonly<Record<string, unknown>>
  /** A new body with this JSON; its bytes are serialised on first use. */
  withJson (json: Readonly<Record<string, unknown>>): Body
}

/** The longest that upstream may generate for a call. */
export interface OutputTime {
  /**
   * Milliseconds from the first byte of the answer's body; of an answer that is not streamed, whose first byte comes with its last, from
   * sending the call to upstream.
   */
  readonly ms: number
  /** The option that says so, for the message to the client. */
  readonly option: string
}

/** How much of the server a call asks for. */
export interface Need {
  /** Tokens of the rendered prompt, when a policy has counted them. */
  promptTokens?: number
  /** The most tokens this call may generate; Infinity when the client set no bound (llama-server's default, L20). */
  maxTokens: number
  /** Slots that the call occupies at once: `n`, or the length of a prompt array; at least 1. */
  places: number
  /**
   * Set by a policy and kept by the innermost stage, which alone sees when a call is sent and when its first byte comes: an answer that
   * takes longer is cut, and one of which nothing came is a 504, both with the reason `runaway`. Absent: no limit.
   */
  maxOutputTime?: OutputTime
}

/** What the caller may ask for, from its API key; `openGrant` where there are no keys. */
export interface Grant {
  /** Share of the server among callers under `fair`: a caller of weight 2 gets twice the tokens of one of weight 1. Above 0. */
  readonly weight: number
  /** Priority classes, 0 is served first: the best one that its calls may ask for, and what they have when they ask for none. */
  readonly bestPriority: number
  readonly usualPriority: number
  /** Most places that its calls may hold at a time; absent: as many as there are. */
  readonly maxPlaces?: number
}

/** The grant of everybody, where no key says otherwise. */
export const openGrant: Grant = { weight: 1, bestPriority: 0, usualPriority: 1 }

/** What of an AbortSignal a call needs; every AbortSignal is one. */
export interface CallSignal {
  readonly aborted: boolean
  /** What `throwIfAborted` throws. */
  readonly reason: unknown
  throwIfAborted (): void
  addEventListener (type: 'abort', listener: () => void, options?: { readonly once?: boolean }): void
  removeEventListener (type: 'abort', listener: () => void): void
}

export interface Call {
  readonly id: string
  readonly route: RouteClass
  /** The route's path, however the client spelt it, with the client's query string. */
  readonly path: string
  readonly method: string
  /** Who asks: an API key's name, or the client address. */
  readonly caller: string
  readonly grant: Grant
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  body: Body
  readonly stream: boolean
  /** Monotonic milliseconds (`Clock.nowMs`). */
  readonly arrivedAtMs: number
  readonly need: Need
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: CallSignal
  /** Who is told how its stream comes on. A copy that stands for something else (a flight, a chunk, a call in shadow) clears it, so that nobody is told of another stream. */
  progress?: Progress | undefined
  readonly decisions: Decision[]
  /** A part of a call's prompt that is evaluated ahead of it, under the call's own id; what comes back is not the client's. */
  readonly chunk?: true
  /** A copy that a policy in shadow mode decides about: the call itself is on its way already, and nothing may be sent for it. */
  readonly shadow?: true
}

/** Each is told once at most, by the innermost stage; `atMs` is in monotonic milliseconds. */
export interface Progress {
  /** The first byte of a stream's body came from upstream: until then the call is in prefill. */
  readonly firstByte?: (atMs: number) => void
  /** Upstream works on the last token that a stream may have: its slot is free after this step. Never told where tokens cannot be counted; an answer may end sooner. */
  readonly lastToken?: (atMs: number) => void
}

/** llama-server's own account of a generation; all fields as it names them. */
export interface Timings {
  readonly cache_n?: number
  readonly prompt_n: number
  readonly prompt_ms: number
  readonly predicted_n: number
  readonly predicted_ms: number
}

/** How an answer ended: to its end · cut in mid-stream by upstream or a time limit, or a stream that ended without its route's last event · the client left · upstream failed before the first byte. */
export interface Outcome {
  readonly how: 'complete' | 'cut' | 'left' | 'fault'
  readonly bytes: number
  /** Monotonic milliseconds; absent when no byte of the body came. */
  readonly firstByteAtMs?: number
  readonly timings?: Timings
  /** Why it was cut, in the words of `X-Weir-Reason`; absent when upstream ended it so. */
  readonly reason?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: Readable | Buffer
  /** Settles (never rejects) when the answer reached its end, however. */
  readonly over: Promise<Outcome>
  /** Settles (never rejects) when upstream is confirmed to be free of this call. A place hangs on this, never on the socket. */
  readonly released: Promise<void>
  /** Set on refusals: the machine-readable reason (`X-Weir-Reason`). */
  readonly reason?: string
}

/** Derived by the chain from what a policy did; never claimed by it. */
export type Verdict = 'pass' | 'change' | 'serve' | 'follow' | 'refuse' | 'leave' | 'fail'

/** One call of `next` inside a decision. */
export interface Step {
  readonly reason: string
  /** Monotonic milliseconds. */
  readonly atMs: number
}

export interface Decision {
  readonly policy: string
  verdict: Verdict
  reason: string
  /** Time between entering the policy and its first `next`, spent waiting on a queue: what the policy reports by `facts.queueWaitMs`. */
  queueWaitMs: number
  /** Time between entering the policy and its first `next` or its answer, without the queue wait. */
  workMs: number
  mode: 'on' | 'shadow'
  /** The call whose answer this one was given, of verdict `follow`. */
  follows?: string
  facts: Record<string, number>
  steps: Step[]
}

/** Passing on costs a reason. `facts` are numbers for the record; `queueWaitMs` among them is lifted into the decision. May be called again. */
export type Next = (call: Call, reason: string, facts?: Record<string, number>) => Promise<Answer>

/**
 * A policy is a function. It returns an answer of its own (refusal: an Answer with `reason`), or what `next` gave it.
 * A throw is a fault (502/503), except when `call.signal` is aborted: then the decision is `leave`.
 */
export type Policy = (call: Call, next: Next) => Promise<Answer>

export interface Clock {
  /** Monotonic milliseconds, comparable between processes of one machine (CLOCK_MONOTONIC). */
  nowMs (): number
  setTimeout (fn: () => void, delayMs: number): unknown
  clearTimeout (handle: unknown): void
}

export interface PolicyLogger {
  info (facts: object, message: string): void
  warn (facts: object, message: string): void
}

/** What a policy wants to know again after a restart of the gateway. Values are JSON. */
export interface Memory {
  /** What was kept under this name in an earlier life; undefined when there is nothing. */
  recall (name: string): unknown
  /** `value` is asked now and then, and at the end; while it is undefined, what was kept before stays. */
  keep (name: string, value: () => unknown): void
}

export interface Port {
  readonly backend: Backend
  readonly memory: Memory
  readonly clock: Clock
  readonly log: PolicyLogger
}

export interface PolicyFactory<O> {
  /** Name in the config file and in every record. */
  readonly name: string
  /** JSON Schema (TypeBox) of its options, closed (`additionalProperties: false`); every option has description with unit, bounds, default. */
  readonly schema: object
  create (options: O, port: Port): PolicyInstance
}

export interface PolicyInstance {
  readonly run: Policy
  /** Gauges for /weir/metrics and the live page, e.g. `{ queued: 3, running: 4, places: 4 }`. */
  readonly gauges: () => Readonly<Record<string, number>>
  /** Refuses everything that waits (draining). */
  readonly drain: () => void
}

/**
 * The record of a request that needs no slot and goes past the chain: one JSON line each. Times as in `CallRecord`, bytes of the answer's body.
 */
export interface PassRecord extends Pick<CallRecord, 'id' | 'caller' | 'route' | 'method' | 'path' | 'status' | 'outcome' | 'reason' | 'arrivedAtMs' | 'upstreamHeadersAtMs' | 'firstByteAtMs' | 'overAtMs' | 'bytes'> {
  readonly msg: 'pass'
}

/**
 * The record: one JSON line per call, written by the gateway when chain and response are both over.
 * `msg` is 'call'. All `*AtMs` are monotonic milliseconds (CLOCK_MONOTONIC), absent when it did not happen.
 */
export interface CallRecord {
  readonly msg: 'call'
  readonly id: string
  readonly caller: string
  readonly route: RouteClass
  readonly method: string
  readonly path: string
  readonly stream: boolean
  /** 499 when the client left before a status was sent. */
  readonly status: number
  readonly outcome: Outcome['how'] | 'refused'
  readonly reason?: string
  readonly arrivedAtMs: number
  /** The innermost `next` was called: the call went to upstream. */
  readonly admittedAtMs?: number
  readonly upstreamHeadersAtMs?: number
  readonly firstByteAtMs?: number
  readonly overAtMs: number
  /** The client's connection closed before its answer was written out. */
  readonly leftAtMs?: number
  readonly releasedAtMs?: number
  readonly queueWaitMs: number
  readonly bytes: number
  readonly promptTokens?: number
  readonly cachedTokens?: number
  readonly outputTokens?: number
  readonly timings?: Timings
  readonly decisions: readonly Decision[]
  /** Places taken and calls waiting in `admission` when the record was written; absent without that policy. */
  readonly gauges?: Readonly<Record<string, number>>
}
