import { Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import type { CallRecord } from '../../policies/contract.js'
import type { BlockEvidence, CallSample, Manifest, OsSample, Plan } from '../types.js'

// What analysis computes with; other fields may be there or not.
const num = Type.Number()
const text = Type.String()
const arm = Type.Union([Type.Literal('before'), Type.Literal('after')])
const blockPlan = Type.Object({ index: Type.Integer({ minimum: 1 }), pair: Type.Integer({ minimum: 1 }), arm, traceSeed: num })

const callSample = Type.Object({
  phase: Type.Union([Type.Literal('capacity'), Type.Literal('load'), Type.Literal('unloaded')]),
  seq: num,
  cls: text,
  intendedMs: num,
  sentMs: num,
  doneMs: num,
  firstMs: Type.Optional(num),
  lastMs: Type.Optional(num),
  outcome: Type.Union([Type.Literal('answered'), Type.Literal('refused'), Type.Literal('failed'), Type.Literal('unanswered')]),
  chunks: num,
  itlMs: Type.Array(num)
})

const osSample = Type.Object({
  atMs: num,
  samplerCpuUsec: num,
  process: Type.Optional(Type.Object({ cpuUsec: num })),
  serverSockets: Type.Optional(num),
  requestsDeferred: Type.Optional(num)
})

const callRecord = Type.Object({ msg: Type.Literal('call'), route: text, outcome: text, arrivedAtMs: num, queueWaitMs: num })

const blockEvidence = Type.Object({ plan: blockPlan, judgedFromMs: num, judgedToMs: num, warnings: Type.Array(text) })

const plan = Type.Object({
  schemaVersion: Type.Literal(1),
  experiment: text,
  seed: num,
  alpha: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }),
  blocks: Type.Array(blockPlan),
  conditions: Type.Array(Type.Object({ id: arm, policies: Type.Array(text) })),
  outcomes: Type.Array(Type.Object({ metric: text, primary: Type.Boolean(), matters: Type.Number({ exclusiveMinimum: 1 }) })),
  predictions: Type.Array(Type.Object({ id: text, lo: num, hi: num })),
  workload: Type.Object({ ttftLimitMs: Type.Record(text, num), closedLoopClients: Type.Integer({ minimum: 1 }) })
})

const manifest = Type.Object({ model: Type.Object({ synthetic: Type.Boolean() }), missing: Type.Array(text) })

const ajv = new Ajv()

/** Guards of what is read back from evidence files; each checks the fields that analysis computes with. */
export const guards: Readonly<{
  plan: ValidateFunction<Plan>
  manifest: ValidateFunction<Manifest>
  block: ValidateFunction<BlockEvidence>
  call: ValidateFunction<CallSample>
  sample: ValidateFunction<OsSample>
  record: ValidateFunction<CallRecord>
}> = {
  plan: ajv.compile<Plan>(plan),
  manifest: ajv.compile<Manifest>(manifest),
  block: ajv.compile<BlockEvidence>(blockEvidence),
  call: ajv.compile<CallSample>(callSample),
  sample: ajv.compile<OsSample>(osSample),
  record: ajv.compile<CallRecord>(callRecord)
}
