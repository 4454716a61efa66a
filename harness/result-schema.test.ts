import type { Static } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import t from 'tap'
import { analyse } from './analyse/analyse.js'
import { simulate } from './analyse/testing.js'
import { simulateStreams, sweepConditions } from './analyse/testing-streams.js'
import { resultSchema } from './result-schema.js'
import type { Result } from './types.js'

/** Compiles only while the schema's type fits the contract. */
const asContract = (result: Static<typeof resultSchema>): Result => result

t.test('a Result, written and read back, is valid; a wrong one is not', async t => {
  const validate = new Ajv({ strict: true, allErrors: true }).compile<Static<typeof resultSchema>>(resultSchema)
  const evidences = [
    simulate({ windowSeconds: 10 }),
    simulate({ pairs: 1, windowSeconds: 10, without: ['process', 'serverSockets', 'requestsDeferred'] }),
    { ...simulate({ pairs: 1 }), blocks: [] },
    simulateStreams(),
    simulateStreams({ design: 'pairs', conditions: [{ id: 'before', gapMs: 9 }, { id: 'after', gapMs: 9, baseline: 'before', threads: 2 }] }),
    simulateStreams({ conditions: [...sweepConditions, { id: 'killed', gapMs: 9, killedAfter: 0 }] }),
    { ...simulateStreams(), blocks: [] }
  ]
  for (const evidence of evidences) {
    const result: unknown = JSON.parse(JSON.stringify(analyse(evidence)))
    t.ok(validate(result), JSON.stringify(validate.errors))
    if (validate(result)) t.equal(asContract(result).planSha256, evidence.planSha256)
    t.notOk(validate({ ...Object(result), extra: 1 }))
    t.notOk(validate({ ...Object(result), schemaVersion: 1 }))
  }
})
