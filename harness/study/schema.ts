import { Type } from '@sinclair/typebox'
import { claimSchema, manifestSchema, modelSchema } from '../result-schema.js'

const closed = { additionalProperties: false } as const
const text = Type.String()
const count = Type.Integer({ minimum: 0 })
const preset = Type.Union([Type.Literal('smoke'), Type.Literal('laptop'), Type.Literal('overnight')])
const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' })

/** JSON Schema of study.json, version 1. */
export const studySchema = Type.Object({
  schemaVersion: Type.Literal(1),
  preset,
  createdAt: text,
  planSha256: sha256,
  extended: Type.Optional(Type.Object({ at: text, planSha256: sha256, budgetMinutes: Type.Number() }, { ...closed, description: 'when it was given more minutes, and the plan that it had before' })),
  complete: Type.Boolean(),
  ended: Type.Optional(Type.Union([Type.Literal('stopped by the user'), Type.Literal('the disk is full')])),
  requirements: Type.Array(Type.Object({
    id: text,
    kind: Type.Union([Type.Literal('factor'), Type.Literal('interference'), Type.Literal('mitigation')]),
    asks: text,
    status: Type.Union([Type.Literal('SUPPORTED'), Type.Literal('UNSUPPORTED'), Type.Literal('DESCRIBED'), Type.Literal('NOT RUN')]),
    because: text,
    experiments: Type.Array(text)
  }, closed)),
  experiments: Type.Array(Type.Object({
    id: text,
    name: text,
    quiet: Type.Boolean(),
    serves: text,
    host: Type.Union([Type.Literal('local'), Type.Literal('vm')]),
    model: Type.Optional(text),
    size: Type.Object({ preset, repeats: Type.Optional(count), cells: Type.Optional(text) }, closed),
    seed: count,
    question: text,
    claims: Type.Array(text, { description: 'entries of the claims registry' }),
    blocks: count,
    expectedSeconds: count,
    cannotShow: Type.Array(text, { description: 'said before the first run' }),
    outcome: Type.Union([Type.Literal('complete'), Type.Literal('kept'), Type.Literal('partial'), Type.Literal('failed'), Type.Literal('not run')]),
    error: Type.Optional(text),
    seconds: Type.Optional(count),
    headline: Type.Optional(Type.Object({ word: text, says: text, because: text, seen: text }, closed)),
    planSha256: Type.Optional(sha256),
    complete: Type.Boolean(),
    results: Type.Array(claimSchema),
    machine: Type.Optional(Type.Integer({ minimum: 0, description: 'index into machines' })),
    warnings: Type.Array(text)
  }, closed)),
  leftOut: Type.Array(Type.Object({ id: text, serves: text, because: text }, closed)),
  machines: Type.Array(manifestSchema),
  models: Type.Array(modelSchema),
  warnings: Type.Array(text)
}, { ...closed, $schema: 'http://json-schema.org/draft-07/schema#', title: 'Weir study.json' })
