import { Type, type Static, type TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { CapacityEstimate } from './capacity.js'

const closed = { additionalProperties: false }

const length = Type.Union([
  Type.Integer({ minimum: 1 }),
  Type.Object({ median: Type.Number({ exclusiveMinimum: 0 }), sigma: Type.Number({ minimum: 0 }), from: Type.Integer({ minimum: 1 }), to: Type.Integer({ minimum: 1 }) }, closed)
])

const Class = Type.Object({
  name: Type.String({ minLength: 1 }),
  promptWords: length,
  maxTokens: length,
  share: Type.Number({ minimum: 0 }),
  /** Of its calls in the open loop. */
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
  leave: Type.Optional(Type.Object({ share: Type.Number({ minimum: 0, maximum: 1 }), afterMs: Type.Number({ minimum: 0 }), from: Type.Optional(Type.Literal('sent')) }, closed)),
  prompts: Type.Optional(Type.Object({ pool: Type.Integer({ minimum: 1 }), zipf: Type.Number({ minimum: 0 }) }, closed)),
  together: Type.Optional(Type.Object({ calls: Type.Integer({ minimum: 1 }), prompt: Type.Union([Type.Literal('one'), Type.Literal('each')]) }, closed)),
  cachePrompt: Type.Optional(Type.Literal(true)),
  embedding: Type.Optional(Type.Literal(true))
}, closed)

const place = {
  target: Type.Object({ url: Type.String({ pattern: '^https?://' }), apiKey: Type.Optional(Type.String()) }, closed),
  /** Samples are appended to it, one JSON line each. */
  outPath: Type.String({ minLength: 1 })
}

const common = {
  ...place,
  classes: Type.Array(Class, { minItems: 1 }),
  seed: Type.Number(),
  /** After the last time of sending (`capacity`: after `seconds`), calls may be answered for this long; then they are `unanswered`. */
  drainSeconds: Type.Number({ minimum: 0 })
}

const LoadPhase = Type.Object({
  phase: Type.Literal('load'),
  ...common,
  ratePerSecond: Type.Number({ exclusiveMinimum: 0 }),
  burst: Type.Optional(Type.Object({
    ratePerSecond: Type.Number({ exclusiveMinimum: 0 }),
    fromSeconds: Type.Number({ minimum: 0 }),
    seconds: Type.Number({ exclusiveMinimum: 0 }),
    shares: Type.Record(Type.String(), Type.Number({ minimum: 0 }))
  }, closed)),
  retry: Type.Optional(Type.Object({
    wait: Type.Union([Type.Literal('told'), Type.Number({ minimum: 0 })]),
    tries: Type.Integer({ minimum: 1 }),
    patienceSeconds: Type.Number({ minimum: 0 })
  }, closed)),
  /** Instead of arrivals: so many clients, each of which makes its next call when its last one is over. */
  workers: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Ramp and window together. */
  seconds: Type.Number({ exclusiveMinimum: 0 }),
  /** Spin the last 2 ms before a send; see `waitUntil`. */
  spin: Type.Boolean()
}, closed)

const ConversationsPhase = Type.Object({
  phase: Type.Literal('conversations'),
  ...common,
  conversations: Type.Object({
    count: Type.Integer({ minimum: 1 }),
    turns: Type.Integer({ minimum: 1 }),
    systemWords: Type.Integer({ minimum: 0 }),
    firstWords: Type.Integer({ minimum: 1 }),
    turnWords: Type.Integer({ minimum: 1 }),
    answerTokens: Type.Integer({ minimum: 1 }),
    thinkSeconds: Type.Number({ minimum: 0 }),
    thinkSpread: Type.Number({ minimum: 0, maximum: 1 }),
    related: Type.Boolean()
  }, closed),
  /** Ramp and window together. */
  seconds: Type.Number({ exclusiveMinimum: 0 })
}, closed)

const CapacityPhase = Type.Object({
  phase: Type.Literal('capacity'),
  ...common,
  clients: Type.Integer({ minimum: 1 }),
  /** The loop is over when each client has made so many and `seconds` have passed; what is under way then is given up. */
  callsPerClient: Type.Integer({ minimum: 2 }),
  seconds: Type.Number({ minimum: 0 })
}, closed)

const UnloadedPhase = Type.Object({
  phase: Type.Literal('unloaded'),
  ...common,
  /** Calls of each class, one at a time, the classes in turn. */
  callsPerClass: Type.Integer({ minimum: 1 })
}, closed)

const StreamsPhase = Type.Object({
  phase: Type.Literal('streams'),
  ...place,
  /** What its calls are called in the samples. */
  callPhase: Type.Union([Type.Literal('warm-up'), Type.Literal('load')]),
  clients: Type.Integer({ minimum: 1 }),
  callsPerClient: Type.Integer({ minimum: 1 }),
  /** Clients go on making calls until then, seconds. */
  atLeastSeconds: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
  promptWords: Type.Integer({ minimum: 1 }),
  /** Of the one prompt that all calls share. */
  promptSeed: Type.Number(),
  predictTokens: Type.Integer({ minimum: 1 }),
  cachePrompt: Type.Optional(Type.Boolean()),
  pauseSeconds: Type.Optional(Type.Number({ minimum: 0 })),
  patienceSeconds: Type.Number({ exclusiveMinimum: 0 })
}, closed)

/** Open loop · conversations · closed loop at full slots · one call at a time · streams straight to `/completion`. */
export type LoadJob = Static<typeof LoadPhase> | Static<typeof ConversationsPhase> | Static<typeof CapacityPhase> | Static<typeof UnloadedPhase> | StreamsJob
export type StreamsJob = Static<typeof StreamsPhase>

const SCHEMAS: Readonly<Record<LoadJob['phase'], TSchema>> = { load: LoadPhase, conversations: ConversationsPhase, capacity: CapacityPhase, unloaded: UnloadedPhase, streams: StreamsPhase }

/** Throws an Error that names the place, the value and what is allowed. */
export function parseJob (json: unknown): LoadJob {
  if (isJob(json)) return json
  const phase: unknown = typeof json === 'object' && json !== null && 'phase' in json ? json.phase : undefined
  const schema = typeof phase === 'string' ? Object.entries(SCHEMAS).find(([name]) => name === phase)?.[1] : undefined
  if (schema === undefined) throw new Error(`job: phase is ${JSON.stringify(phase)}; it must be one of ${Object.keys(SCHEMAS).join(', ')}`)
  const error = Value.Errors(schema, json).First()
  throw new Error(`job${error?.path.replaceAll('/', '.') ?? ''} is ${JSON.stringify(error?.value)}: ${error?.message ?? 'not allowed'}`)
}

function isJob (json: unknown): json is LoadJob {
  return Object.values(SCHEMAS).some(schema => Value.Check(schema, json))
}

export interface LoadCounts {
  readonly sent: number
  readonly answered: number
  readonly refused: number
  readonly failed: number
  readonly unanswered: number
}

export interface LoadProgress extends LoadCounts {
  /** Intended in all; absent in a closed loop. */
  readonly intended?: number
}

export interface LoadSummary extends LoadProgress {
  readonly phase: LoadJob['phase']
  /** Monotonic milliseconds: zero of the trace or first send · planned end of sending · last sample, or toMs when that is later.
   * When it was stopped, and when `unloaded` or `streams`, toMs is drainedAtMs. */
  readonly fromMs: number
  readonly toMs: number
  readonly drainedAtMs: number
  /** Ended by a signal before its time. */
  readonly stopped: boolean
  /** Longest time that the generator's event loop stood still: the control for a stalled client. */
  readonly eventLoopDelayMaxMs: number
  /** sent − intended; null when nothing was sent. Nearest rank. */
  readonly dispatchDelayMs: { readonly p50: number, readonly p95: number, readonly p99: number, readonly max: number } | null
  /** Only of `capacity`, and only when the loop was long enough. */
  readonly capacity?: CapacityEstimate
}

/** Lines on the load process's stdout. */
export type LoadEvent =
  { readonly event: 'progress', readonly progress: LoadProgress } |
  { readonly event: 'summary', readonly summary: LoadSummary } |
  { readonly event: 'error', readonly message: string }
