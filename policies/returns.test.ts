import t from 'tap'
import { CostModel } from './cost-model.js'
import { Returns } from './returns.js'
import { newcomer, NOTHING_KNOWN, type Entry } from './schedule-entry.js'
import type { Ask } from './schedule-events.js'

const met = { backlogMs: 1_500, spareMs: 1_000, costMs: 250, releaseIntervalMs: 250 }

function entry (identity: string | undefined, atMs: number, ask: Partial<Ask> = {}): Entry {
  const own = newcomer({ type: 'arrive', id: 'x', places: 1, atMs, sinceMs: atMs, ask: { ...NOTHING_KNOWN, ...ask, ...(identity === undefined ? {} : { identity: () => identity }) } }, Infinity, 0, new CostModel())
  return { ...own, predictedWaitMs: 0, predictedFirstByteMs: 0, predictedFinishMs: 0, teachesMargin: false }
}

function setUp (order = { priority: false, fair: false }) {
  const returns = new Returns(order, 120_000)
  const told = (identity: string | undefined, atMs = 0, ask: Partial<Ask> = {}) => returns.tell('deadline', entry(identity, atMs, ask), met, atMs)
  const heldBack = (identity: string | undefined, loadMs: number, atMs: number, ask: Partial<Ask> = {}) => returns.holdBack(entry(identity, atMs, ask), loadMs, atMs)
  /** Some came when they were told to: from then on room is kept for others, too. */
  const promisesKept = (): void => {
    for (const identity of ['somebody', 'another', 'a third']) {
      const dueMs = told(identity)
      returns.letIn(entry(identity, dueMs), dueMs)
    }
  }
  return { returns, told, heldBack, promisesKept }
}

t.test('those who are refused one after the other are told later and later', async t => {
  const { told } = setUp()
  const times = Array.from({ length: 40 }, (_, i) => told(String(i)))
  t.same([...times].sort((a, b) => a - b), times)
  t.ok((times.at(-1) ?? 0) > 10_000, `40 calls of 250 ms: ${times.at(-1)} ms`)
  t.equal(told(undefined), 1_000, 'a call that cannot be known again is told how long the line is')
  t.same([...new Set(times.map(ms => ms % 1000))], [0], 'whole seconds, so that a header can say it')
})

t.test('who comes too early keeps its time', async t => {
  const { returns, told } = setUp()
  for (let i = 0; i < 20; i++) told(String(i))
  const last = told('late')
  t.equal(told('late', 1_000), last - 1_000)
  t.equal(told('late', 1_700), Math.ceil((last - 1_700) / 1000) * 1000)
  t.equal(returns.gauges.appointments, 21)
})

t.test('who comes when it was told to need not leave room for others, a newcomer must', async t => {
  const { returns, told, heldBack, promisesKept } = setUp()
  told('never')
  t.equal(heldBack('new', 1e6, 0), false, 'of nobody it was seen that it comes back')
  returns.letIn(entry('never', 0), 0)
  promisesKept()
  for (let i = 0; i < 20; i++) told(String(i))
  const dueMs = told('own')
  t.equal(heldBack('new', dueMs + 5_000, 0), true)
  t.equal(heldBack('new', 100, 0), false, 'there is room for it')
  t.equal(heldBack('own', 5_000, dueMs), false)
  returns.letIn(entry('own', dueMs), dueMs)
  t.equal(returns.gauges.appointments, 20)
  t.equal(heldBack('own', dueMs + 5_000, 0), true, 'once')
})

t.test('nobody stands back for appointments that it would not stand behind in the line', async t => {
  const fair = setUp({ priority: false, fair: true })
  fair.promisesKept()
  fair.told('a', 0, { caller: 'greedy' })
  t.equal(fair.heldBack('b', 9_000, 0, { caller: 'other' }), false)
  t.equal(fair.heldBack('b', 9_000, 0, { caller: 'greedy' }), true)
  const priority = setUp({ priority: true, fair: false })
  priority.promisesKept()
  priority.told('a', 0, { priority: 2 })
  t.equal(priority.heldBack('b', 9_000, 0, { priority: 1 }), false)
  t.equal(priority.heldBack('b', 9_000, 0, { priority: 2 }), true)
})

t.test('a gateway that shuts down gives no appointments, nor does one that knows no cost', async t => {
  const { returns } = setUp()
  t.equal(returns.tell('draining', entry('a', 0), met, 0), 1_500)
  t.equal(returns.tell('queue-full', entry('a', 0), { ...met, costMs: 0 }, 0), 1_000)
  t.equal(returns.gauges.appointments, 0)
})
