import { Type } from '@sinclair/typebox'

const closed = { additionalProperties: false } as const
const text = Type.String()
const num = Type.Number()
const count = Type.Integer({ minimum: 0 })
const orNull = Type.Union([num, Type.Null()])
const condition = Type.String({ description: 'id of a condition' })
const range = Type.Tuple([num, num])
const rangeOrNull = Type.Union([range, Type.Null()])
const population = Type.Union([Type.Literal('offered'), Type.Literal('answered'), Type.Literal('refused'), Type.Literal('block')], {
  description: 'offered: refused, failed and unanswered calls count as worse than any limit. answered, refused: only those. block: one number a block.'
})
const placement = Type.Object({ serverCpus: Type.Array(count), clientCpus: Type.Array(count), note: text }, closed)

export const modelSchema = Type.Object({
  name: text, path: text, bytes: num, sha256: text, parameters: num, quantisation: text, synthetic: Type.Boolean({ description: 'Seeded random weights in the shape of a real model; the text is nonsense.' }), seed: Type.Optional(num)
}, closed)

export const manifestSchema = Type.Object({
  weirVersion: text,
  gitCommit: Type.Optional(text),
  node: text,
  kernel: text,
  cpuModel: text,
  cpus: count,
  memoryBytes: num,
  virtualisation: text,
  cgroup: Type.Union([Type.Literal('v2'), Type.Literal('v1'), Type.Literal('none')]),
  autogroup: Type.Optional(Type.Boolean()),
  governor: Type.Optional(text),
  model: modelSchema,
  otherModels: Type.Optional(Type.Array(modelSchema)),
  server: Type.Object({ version: text, from: text, slots: count, threads: count, batchTokens: count, slotContextTokens: count }, closed),
  placement,
  missing: Type.Array(text)
}, closed)

const length = Type.Union([count, Type.Object({ median: num, sigma: num, from: count, to: count }, { ...closed, description: 'lognormal between two bounds' })])

const openLoop = Type.Object({
  kind: Type.Literal('open-loop'),
  classes: Type.Array(Type.Object({
    name: text,
    promptWords: length,
    maxTokens: length,
    share: num,
    caller: Type.Optional(text),
    headers: Type.Optional(Type.Record(text, text)),
    leave: Type.Optional(Type.Object({ share: num, afterMs: num, from: Type.Optional(Type.Literal('sent')) }, closed)),
    prompts: Type.Optional(Type.Object({ pool: count, zipf: num }, closed)),
    together: Type.Optional(Type.Object({ calls: count, prompt: Type.Union([Type.Literal('one'), Type.Literal('each')]) }, closed)),
    interference: Type.Optional(Type.Boolean()),
    cachePrompt: Type.Optional(Type.Literal(true)),
    embedding: Type.Optional(Type.Literal(true))
  }, closed)),
  ratePerSecond: num,
  burst: Type.Optional(Type.Object({ ratePerSecond: num, fromSeconds: num, seconds: num, shares: Type.Record(text, num) }, closed)),
  conversations: Type.Optional(Type.Object({ count, turns: count, systemWords: count, firstWords: count, turnWords: count, answerTokens: count, thinkSeconds: num, thinkSpread: num, related: Type.Boolean() }, closed)),
  workers: Type.Optional(count),
  grants: Type.Optional(Type.Record(text, Type.Record(text, num))),
  rampSeconds: num,
  windowSeconds: num,
  drainSeconds: num,
  capacitySeconds: num,
  capacityCalls: Type.Optional(Type.Integer()),
  capacityAgain: Type.Optional(Type.Boolean()),
  closedLoopClients: count,
  ttftLimitMs: Type.Record(text, num)
}, closed)

const streamsFields = Type.Object({
  clients: count, slots: count, calls: count, atLeastSeconds: num, promptWords: count, cachePrompt: Type.Boolean(), predictTokens: count, warmupCalls: count, pauseSeconds: num, patienceSeconds: num
}, closed)
const overrides = Type.Partial(streamsFields, { ...closed, description: 'what the condition changes of the workload' })
const streams = Type.Composite([
  Type.Object({ kind: Type.Literal('streams') }), Type.Omit(streamsFields, ['slots', 'atLeastSeconds', 'cachePrompt', 'pauseSeconds']), Type.Partial(Type.Pick(streamsFields, ['slots', 'atLeastSeconds', 'cachePrompt', 'pauseSeconds']))
], closed)

const cell = Type.Object({
  condition,
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
  ci95: Type.Optional(Type.Object({ p50: Type.Optional(range), p95: Type.Optional(range), p99: Type.Optional(range) }, closed)),
  range: Type.Optional(Type.Tuple([num, num], { description: 'Least and most of the blocks; of one number a block.' }))
}, closed)

const contrast = Type.Object({
  id: text,
  a: text,
  b: text,
  metric: text,
  population,
  primary: Type.Boolean(),
  ratio: Type.Union([num, Type.Null()], { description: 'b ÷ a' }),
  compared: Type.Optional(range),
  ci95: rangeOrNull,
  p: orNull,
  pAdjusted: Type.Optional(orNull),
  n: count,
  verdict: Type.Union([Type.Literal('better'), Type.Literal('worse'), Type.Literal('equivalent'), Type.Literal('cannot say')]),
  because: text
}, closed)

const legStatus = Type.Union([Type.Literal('holds'), Type.Literal('fails'), Type.Literal('missing')])

const leg = Type.Object({
  status: legStatus,
  statement: text,
  source: text,
  value: orNull,
  band: rangeOrNull,
  figures: Type.Array(Type.Object({ what: text, of: Type.Optional(text), source: text, compared: Type.Optional(range), value: orNull, band: rangeOrNull, status: legStatus, because: Type.Optional(text) }, closed))
}, closed)

export const claimSchema = Type.Object({
  id: text,
  statement: text,
  predicted: text,
  status: Type.Union([Type.Literal('SUPPORTED'), Type.Literal('UNSUPPORTED')]),
  application: leg,
  os: leg,
  control: leg,
  mechanism: leg,
  explanation: text,
  marks: Type.Optional(Type.Array(Type.Object({ condition, atMs: num, label: text }, closed))),
  doseMarks: Type.Optional(Type.Array(Type.Object({ factor: text, at: num, label: text }, closed)))
}, closed)

const explained = Type.Array(Type.Object({
  condition,
  metric: Type.Union([Type.Literal('request-latency'), Type.Literal('itl')]),
  percentile: Type.Union([Type.Literal('p50'), Type.Literal('p95'), Type.Literal('p99'), Type.Literal('all')]),
  n: count,
  tail: count,
  usualMs: num,
  excessMs: num,
  shares: Type.Array(Type.Object({
    source: Type.Union([Type.Literal('throttled'), Type.Literal('cpu-full'), Type.Literal('memory-full'), Type.Literal('io-full'), Type.Literal('run-queue-wait')]),
    share: orNull,
    ci95: rangeOrNull,
    because: Type.Optional(text)
  }, closed))
}, closed), { description: 'What the operating system did inside the slowest waits, as shares of their excess; lower bounds that overlap.' })

const window = { fromMs: num, toMs: num }
const tools = Type.Object({
  pidstat: Type.Optional(Type.Object({ ...window, cpuUsec: num, voluntarySwitches: num, involuntarySwitches: num, minorFaults: num, majorFaults: num, readBytes: Type.Optional(num), waitUsec: Type.Optional(num), threads: Type.Optional(Type.Array(Type.Object({ cpuUsec: num, waitUsec: num }, closed))) }, { ...closed, description: 'llama-server' })),
  iostat: Type.Optional(Type.Object({ ...window, reads: num, readBytes: num, writtenBytes: num, readAwaitMs: Type.Optional(num) }, { ...closed, description: 'all whole disks' })),
  vmstat: Type.Optional(Type.Object({ ...window, contextSwitches: num, swapInBytes: num, swapOutBytes: num, runnable: num, stealShare: num }, { ...closed, description: 'the whole machine' })),
  perf: Type.Optional(Type.Object({ ...window, contextSwitches: num, cpuMigrations: num, minorFaults: num, majorFaults: num, cpuUsec: num }, { ...closed, description: 'llama-server, software events' }))
}, { ...closed, description: 'What other tools than the harness’s own sampler counted between fromMs and toMs, whole intervals inside the judged window.' })

const crossCheck = Type.Object({
  quantity: text, unit: text, tool: text, theirs: num, source: text, ours: num, tolerance: Type.Number({ description: '2 % of the greater, the floor of the quantity, or what the dating of the window leaves open' }), agrees: Type.Boolean()
}, closed)

const block = {
  index: count,
  pair: Type.Integer({ minimum: 0, description: 'the repeat' }),
  condition,
  tokensPerSecond: num,
  serverCpuUsecPerToken: orNull,
  samplerCpuShare: num,
  toolsCpuShare: Type.Optional(Type.Number({ description: 'CPU time of these tools ÷ wall time' })),
  tools: Type.Optional(tools),
  crossChecks: Type.Optional(Type.Array(crossCheck)),
  valid: Type.Boolean(),
  because: Type.Optional(text)
}

const openLoopBlock = Type.Object({
  ...block,
  closedLoopCpuUsecPerToken: orNull,
  capacityPerSecond: Type.Number({ description: '0: no estimate' }),
  offeredPerSecond: num,
  answeredPerSecond: num,
  goodPerSecond: num,
  goodPerCapacity: num,
  ttftAnsweredP50Ms: orNull,
  ttftAnsweredP95Ms: orNull,
  dispatchDelayP95Ms: num
}, closed)

const grown = Type.Optional(num)
const streamsBlock = Type.Object({
  ...block,
  answered: count,
  failed: count,
  ttftP50Ms: orNull,
  requestLatencyP50Ms: orNull,
  startToFirstTokenMs: orNull,
  itlP50Ms: orNull,
  itlP95Ms: orNull,
  itlP99Ms: orNull,
  cpusUsed: orNull,
  readBytes: orNull,
  group: Type.Object({
    periods: grown, throttledPeriods: grown, throttledUsec: grown, cpuUsec: grown, cpuFullUsec: grown, refaultedPages: grown, memoryFullUsec: grown, readBytes: grown, oomKills: grown
  }, { ...closed, description: 'Growth of the counters of llama-server’s control group during the load; oomKills since the group was made.' }),
  yardstick: Type.Optional(Type.Object({ threads: count, ms: num }, { ...closed, description: 'How fast the machine was: milliseconds for a token of a llama-server that nothing of the block touches, mean of before and after it.' })),
  serverEnd: Type.Optional(text)
}, closed)

const head = {
  schemaVersion: Type.Literal(2),
  experiment: text,
  question: text,
  preset: Type.Union([Type.Literal('smoke'), Type.Literal('laptop'), Type.Literal('overnight')]),
  planSha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  complete: Type.Boolean(),
  manifest: manifestSchema,
  design: Type.Union([Type.Literal('pairs'), Type.Literal('factorial'), Type.Literal('sweep')]),
  conditions: Type.Array(Type.Object({
    id: text,
    title: text,
    policies: Type.Array(text),
    policyOptions: Type.Optional(Type.Record(text, Type.Record(text, Type.Unknown()))),
    tellsLimit: Type.Optional(Type.Boolean()),
    retry: Type.Optional(Type.Object({ wait: Type.Union([num, Type.Literal('told')]), tries: count, patienceSeconds: num }, closed)),
    knobs: Type.Array(text),
    factors: Type.Record(text, Type.Union([num, text])),
    threads: Type.Optional(count),
    model: Type.Optional(text),
    workload: Type.Optional(overrides),
    baseline: Type.Optional(text),
    probe: Type.Optional(count)
  }, closed)),
  quiet: Type.Boolean({ description: 'The experiment’s interference was left out.' }),
  effects: Type.Array(text),
  outcomes: Type.Array(Type.Object({ metric: text, unit: text, better: Type.Union([Type.Literal('higher'), Type.Literal('lower')]), primary: Type.Boolean(), matters: Type.Number({ exclusiveMinimum: 1 }) }, closed)),
  cells: Type.Array(cell),
  contrasts: Type.Array(contrast),
  claims: Type.Array(claimSchema),
  explained: Type.Optional(explained),
  counts: Type.Array(Type.Object({ condition, outcome: text, reason: text, n: count }, closed)),
  warnings: Type.Array(text)
}

/** JSON Schema of result.json, version 2. A field is added with a new minor version of Weir, changed or removed only with a new schemaVersion. */
export const resultSchema = Type.Union([
  Type.Object({ ...head, workload: openLoop, blocks: Type.Array(openLoopBlock) }, closed),
  Type.Object({ ...head, workload: streams, blocks: Type.Array(streamsBlock) }, closed)
], { $schema: 'http://json-schema.org/draft-07/schema#', title: 'Weir result.json' })
