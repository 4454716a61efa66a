import t from 'tap'
import { guards } from './evidence-schema.js'
import { migrateBlock, migratePlan } from './migrate.js'

const version1 = {
  schemaVersion: 1,
  experiment: 'admission',
  seed: 1,
  alpha: 0.05,
  conditions: [{ id: 'before', title: 'without', policies: [] }, { id: 'after', title: 'with', policies: ['admission'] }],
  workload: { ttftLimitMs: { default: 900 }, closedLoopClients: 4 },
  blocks: [{ index: 1, pair: 1, arm: 'before', traceSeed: 1001 }],
  outcomes: [],
  predictions: [],
  expected: { offeredPerArm: 9, answeredPerArm: 8, unsupported: [], verdict: true }
}

t.test('a plan of version 1 becomes one that the guards take', async t => {
  const plan = migratePlan(version1)
  t.ok(guards.plan(plan), JSON.stringify(guards.plan.errors))
  t.match(plan, {
    schemaVersion: 2,
    design: 'pairs',
    workload: { kind: 'open-loop' },
    blocks: [{ condition: 'before' }],
    conditions: [{ id: 'before', knobs: [] }, { id: 'after', baseline: 'before' }],
    claims: ['admission-keeps-capacity-good'],
    expected: { offeredPerCondition: 9, answeredPerCondition: 8 }
  })
  t.same((migratePlan({ ...version1, conditions: version1.conditions.map(condition => ({ ...condition, policies: [] })) }) as { claims: unknown }).claims, [])
})

t.test('what is not of version 1 comes back as it was', async t => {
  for (const value of [null, 3, 'x', [], { schemaVersion: 2, blocks: [{ arm: 'before' }] }]) t.equal(migratePlan(value), value)
  t.same(migrateBlock({ plan: { index: 1, condition: 'after' } }), { plan: { index: 1, condition: 'after' } })
  t.same(migrateBlock({ plan: { index: 1, arm: 'after' } }), { plan: { index: 1, condition: 'after' } })
  t.same(migrateBlock({ plan: 'x' }), { plan: 'x' })
})
