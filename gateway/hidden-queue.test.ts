import t from 'tap'
import type { CallRecord } from '../policies/contract.js'
import { HiddenQueue } from './hidden-queue.js'
import { makeRecord } from './testing-record.js'

function checking () {
  const warnings: object[] = []
  const waits: number[] = []
  const check = new HiddenQueue({ info () {}, warn (facts) { warnings.push(facts) } }, waitMs => { waits.push(waitMs) })
  return { warnings, waits, add: (waitMs: number, more: Partial<CallRecord> = {}) => { check.add(makeRecord({ admittedAtMs: 100, upstreamHeadersAtMs: 100 + waitMs, ...more })) } }
}

t.test('calls that start at once, and a late one now and then, are no warning', async t => {
  const { warnings, waits, add } = checking()
  for (let index = 0; index < 200; index++) add(index % 5 === 0 ? 5_000 : 3)
  t.same(warnings, [])
  t.equal(waits.length, 200)
})

t.test('half of them late: a warning with the numbers, and not one for each', async t => {
  const { warnings, add } = checking()
  for (let index = 0; index < 100; index++) add(index % 2 === 0 ? 1_500 : 3)
  t.same(warnings, [{ late: 10, of: 19, lateMs: 1_000 }])
  for (let index = 0; index < 500; index++) add(1_500)
  t.equal(warnings.length, 2, 'it goes on: said again after a while')
})

t.test('where the wait cannot be seen nothing is said', async t => {
  const { warnings, waits, add } = checking()
  const chunked = { policy: 'admission', verdict: 'pass' as const, reason: '', queueWaitMs: 0, workMs: 0, mode: 'on' as const, facts: { chunks: 3 }, steps: [] }
  for (let index = 0; index < 50; index++) {
    add(9_000, { stream: false })
    add(9_000, { status: 429 })
    add(9_000, { decisions: [chunked] })
    const { admittedAtMs: _, ...notSent } = makeRecord({ upstreamHeadersAtMs: 9_000 })
    add(9_000, { ...notSent, stream: false })
  }
  t.same([warnings, waits], [[], []])
})
