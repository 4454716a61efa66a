import { Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import type { CallRecord } from '../../policies/contract.js'
import type { Stamp } from '../tools/contract.js'
import type { BlockEvidence, CallSample, Manifest, OsSample, Plan } from '../types.js'

// What analysis computes with; other fields may be there or not.
const num = Type.Number()
const text = Type.String()
const blockPlan = Type.Object({ index: Type.Integer({ minimum: 1 }), pair: Type.Integer({ minimum: 1 }), condition: text, traceSeed: num })

const callSample = Type.Object({
  phase: Type.Union([Type.Literal('capacity'), Type.Literal('load'), Type.Literal('unloaded'), Type.Literal('warm-up')]),
  seq: num,
  cls: text,
  intendedMs: num,
  sentMs: num,
  doneMs: num,
  firstMs: Type.Optional(num),
  lastMs: Type.Optional(num),
  outcome: Type.Union([Type.Literal('answered'), Type.Literal('refused'), Type.Literal('failed'), Type.Literal('unanswered')]),
  chunks: num,
  itlMs: Type.Array(num),
  promptTokens: Type.Optional(num),
  outputTokens: Type.Optional(num),
  refusals: Type.Optional(Type.Array(Type.Object({ sentMs: num, doneMs: num, retryAfterSeconds: Type.Optional(num) }))),
  lastSentMs: Type.Optional(num)
})

const osSample = Type.Object({
  atMs: num,
  samplerCpuUsec: num,
  process: Type.Optional(Type.Object({ cpuUsec: num })),
  serverSockets: Type.Optional(num),
  serverSocketsCloseWait: Type.Optional(num),
  requestsDeferred: Type.Optional(num),
  promptTokensTotal: Type.Optional(num),
  predictedTokensTotal: Type.Optional(num),
  decodesTotal: Type.Optional(num)
})

const callRecord = Type.Object({ msg: Type.Literal('call'), route: text, outcome: text, arrivedAtMs: num, queueWaitMs: num })

const counters = Type.Optional(Type.Record(text, num))
const toolRuns = Type.Optional(Type.Array(Type.Object({ tool: text, cpuUsec: Type.Optional(num), ranMs: Type.Optional(num), missing: Type.Optional(text) })))
const stamp = Type.Object({ tool: text, bytes: num, atMs: num })
const blockEvidence = Type.Object({ plan: blockPlan, judgedFromMs: num, judgedToMs: num, closedLoops: Type.Optional(Type.Array(Type.Object({ fromMs: num, toMs: num, serverCpuUsec: Type.Optional(num) }))), generatorEventLoopDelayMaxMs: num, groupCountersAtStart: counters, groupCountersAtEnd: counters, serverCountersAtStart: counters, serverCountersAtEnd: counters, slotSecondsWasted: Type.Optional(num), tools: toolRuns, warnings: Type.Array(text) })

const openLoop = Type.Object({ kind: Type.Literal('open-loop'), ttftLimitMs: Type.Record(text, num), closedLoopClients: Type.Integer({ minimum: 1 }) })
const streams = Type.Object({ kind: Type.Literal('streams'), clients: Type.Integer({ minimum: 1 }), predictTokens: Type.Integer({ minimum: 1 }), patienceSeconds: num })

const plan = Type.Object({
  schemaVersion: Type.Literal(2),
  experiment: text,
  seed: num,
  alpha: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
  blocks: Type.Array(blockPlan),
  design: Type.Union([Type.Literal('pairs'), Type.Literal('factorial'), Type.Literal('sweep')]),
  claims: Type.Array(text),
  conditions: Type.Array(Type.Object({ id: text, policies: Type.Array(text), knobs: Type.Array(text), baseline: Type.Optional(text), probe: Type.Optional(Type.Integer({ minimum: 1 })) })),
  outcomes: Type.Array(Type.Object({ metric: text, primary: Type.Boolean(), matters: Type.Number({ exclusiveMinimum: 1 }) })),
  predictions: Type.Array(Type.Object({ id: text, lo: num, hi: num })),
  workload: Type.Union([openLoop, streams]),
  spare: Type.Optional(Type.Object({ machineWithin: Type.Number({ exclusiveMinimum: 1 }), blocks: Type.Array(blockPlan) })),
  search: Type.Optional(Type.Object({ fromBytes: num, toBytes: num, probes: Type.Integer({ minimum: 1 }), refaultBytes: num }))
})

const manifest = Type.Object({ model: Type.Object({ synthetic: Type.Boolean() }), missing: Type.Array(text) })

const ajv = new Ajv()

/** Guards of what is read back from evidence files; each checks the fields that analysis computes with. Compiled at first use, which most commands never make; ajv keeps what it compiled. */
export const guards: Readonly<{
  plan: ValidateFunction<Plan>
  manifest: ValidateFunction<Manifest>
  block: ValidateFunction<BlockEvidence>
  call: ValidateFunction<CallSample>
  sample: ValidateFunction<OsSample>
  stamp: ValidateFunction<Stamp>
  record: ValidateFunction<CallRecord>
}> = {
  get plan () { return ajv.compile<Plan>(plan) },
  get manifest () { return ajv.compile<Manifest>(manifest) },
  get block () { return ajv.compile<BlockEvidence>(blockEvidence) },
  get call () { return ajv.compile<CallSample>(callSample) },
  get sample () { return ajv.compile<OsSample>(osSample) },
  get stamp () { return ajv.compile<Stamp>(stamp) },
  get record () { return ajv.compile<CallRecord>(callRecord) }
}
