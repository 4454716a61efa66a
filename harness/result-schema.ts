import { Type } from '@sinclair/typebox'

const closed = { additionalProperties: false } as const
const text = Type.String()
const num = Type.Number()
const count = Type.Integer({ minimum: 0 })
const orNull = Type.Union([num, Type.Null()])
const arm = Type.Union([Type.Literal('before'), Type.Literal('after')])
const range = Type.Tuple([num, num])
const rangeOrNull = Type.Union([range, Type.Null()])
const population = Type.Union([Type.Literal('offered'), Type.Literal('answered'), Type.Literal('refused'), Type.Literal('block')], {
  description: 'offered: refused, failed and unanswered calls count as worse than any limit. answered, refused: only those. block: one number a block.'
})
const placement = Type.Object({ serverCpus: Type.Array(count), clientCpus: Type.Array(count), note: text }, closed)

const manifest = Type.Object({
  weirVersion: text,
  node: text,
  kernel: text,
  cpuModel: text,
  cpus: count,
  memoryBytes: num,
  virtualisation: text,
  cgroup: Type.Union([Type.Literal('v2'), Type.Literal('v1'), Type.Literal('none')]),
  model: Type.Object({
    name: text, path: text, bytes: num, sha256: text, parameters: num, quantisation: text, synthetic: Type.Boolean({ description: 'Seeded random weights in the shape of a real model; the text is nonsense.' }), seed: Type.Optional(num)
  }, closed),
  server: Type.Object({ version: text, from: text, slots: count, threads: count, batchTokens: count, slotContextTokens: count }, closed),
  placement,
  missing: Type.Array(text)
}, closed)

const workload = Type.Object({
  classes: Type.Array(Type.Object({ name: text, promptWords: count, maxTokens: count, share: num }, closed)),
  ratePerSecond: num,
  rampSeconds: num,
  windowSeconds: num,
  drainSeconds: num,
  capacitySeconds: num,
  closedLoopClients: count,
  ttftLimitMs: Type.Record(text, num)
}, closed)

const cell = Type.Object({
  condition: arm,
  metric: text,
  unit: text,
  population,
  n: count,
  nEff: Type.Number({ description: 'n reduced for autocorrelation; the floors of the percentiles apply to it.' }),
  p50: orNull,
  p95: orNull,
  p99: orNull,
  mean: orNull,
  censoredAbove: Type.Optional(Type.Object({ p50: Type.Optional(num), p95: Type.Optional(num), p99: Type.Optional(num) }, { ...closed, description: 'The percentile is not known, only that it is above this.' })),
  ci95: Type.Optional(Type.Object({ p50: Type.Optional(range), p95: Type.Optional(range), p99: Type.Optional(range) }, closed))
}, closed)

const contrast = Type.Object({
  id: text,
  a: text,
  b: text,
  metric: text,
  population,
  primary: Type.Boolean(),
  ratio: Type.Union([num, Type.Null()], { description: 'b ÷ a' }),
  ci95: rangeOrNull,
  p: orNull,
  pAdjusted: Type.Optional(orNull),
  n: count,
  verdict: Type.Union([Type.Literal('better'), Type.Literal('worse'), Type.Literal('equivalent'), Type.Literal('cannot say')]),
  because: text
}, closed)

const leg = Type.Object({
  status: Type.Union([Type.Literal('holds'), Type.Literal('fails'), Type.Literal('missing')]),
  statement: text,
  source: text,
  value: orNull,
  band: rangeOrNull
}, closed)

const claim = Type.Object({
  id: text,
  statement: text,
  predicted: text,
  status: Type.Union([Type.Literal('SUPPORTED'), Type.Literal('UNSUPPORTED')]),
  application: leg,
  os: leg,
  control: leg,
  mechanism: leg,
  explanation: text
}, closed)

const block = Type.Object({
  index: count,
  pair: count,
  arm,
  capacityPerSecond: Type.Number({ description: '0: no estimate' }),
  offeredPerSecond: num,
  answeredPerSecond: num,
  goodPerSecond: num,
  goodPerCapacity: num,
  ttftAnsweredP50Ms: orNull,
  ttftAnsweredP95Ms: orNull,
  tokensPerSecond: num,
  serverCpuUsecPerToken: orNull,
  dispatchDelayP95Ms: num,
  samplerCpuShare: num,
  valid: Type.Boolean(),
  because: Type.Optional(text)
}, closed)

/** JSON Schema of result.json, version 1. A field is added with a new minor version of Weir, changed or removed only with a new schemaVersion. */
export const resultSchema = Type.Object({
  schemaVersion: Type.Literal(1),
  experiment: text,
  question: text,
  preset: Type.Union([Type.Literal('smoke'), Type.Literal('laptop'), Type.Literal('overnight')]),
  planSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  complete: Type.Boolean(),
  manifest,
  conditions: Type.Array(Type.Object({ id: arm, title: text, policies: Type.Array(text) }, closed)),
  outcomes: Type.Array(Type.Object({ metric: text, unit: text, better: Type.Union([Type.Literal('higher'), Type.Literal('lower')]), primary: Type.Boolean(), matters: Type.Number({ exclusiveMinimum: 1 }) }, closed)),
  workload,
  cells: Type.Array(cell),
  contrasts: Type.Array(contrast),
  claims: Type.Array(claim),
  counts: Type.Array(Type.Object({ condition: arm, outcome: text, reason: text, n: count }, closed)),
  blocks: Type.Array(block),
  warnings: Type.Array(text)
}, { ...closed, $schema: 'http://json-schema.org/draft-07/schema#', title: 'Weir result.json' })
