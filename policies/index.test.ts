import t from 'tap'
import { policyFactories } from './index.js'
import { makePort } from './testing.js'

t.test('every policy is known by its own name, has a closed schema and starts without options', async t => {
  t.same(Object.keys(policyFactories).sort(), ['admission', 'batching', 'prompt-cap', 'response-cache', 'single-flight'])
  for (const [name, factory] of Object.entries(policyFactories)) {
    t.equal(factory.name, name)
    t.match(factory.schema, { type: 'object', additionalProperties: false })
    const policy = factory.create({}, makePort())
    t.ok(Object.values(policy.gauges()).every(Number.isFinite), `${name}: gauges are numbers from the start`)
    policy.drain()
  }
})
