import t from 'tap'
import { SlotTable, nextWakeMs, type Placed, type SlotsReading } from './slot-table.js'

const LOWEST = { choose: (_call: unknown, idle: readonly number[]) => idle[0] }

/** A reading of four slots of which these are busy. */
function reading (busy: readonly number[], atMs: number): SlotsReading {
  return { slots: [0, 1, 2, 3].map(id => ({ id, busy: busy.includes(id) })), askedAtMs: atMs, atMs }
}

function call (id: string, nameable = true) {
  return { id, nameable, prefillTokens: 10 }
}

t.test('a named call holds its slot until it is released', async t => {
  const table = new SlotTable(LOWEST)
  table.see(reading([], 0))
  t.equal(table.start(call('a'), 1, 10), 0)
  t.equal(table.start(call('b'), 1, 10), 1)
  t.same(table.idle(10), [2, 3])
  table.release('a', false, undefined, 20)
  t.equal(table.start(call('c'), 1, 20), 0)
})

t.test('no slot is named', async t => {
  const cases: ReadonlyArray<readonly [why: string, doing: (table: SlotTable) => void]> = [
    ['before the first reading', () => undefined],
    ['when the reading is old', table => table.see(reading([], -5_000))],
    ['while a call runs of which nobody knows where it is', table => {
      table.see(reading([], 0))
      table.start(call('unnamed', false), 1, 10)
    }],
    ['while somebody else uses the server', table => table.see(reading([2], 0))],
    ['soon after somebody else used it', table => {
      table.see(reading([2], 0))
      table.see(reading([], 2_000))
    }]
  ]
  for (const [why, doing] of cases) {
    const table = new SlotTable(LOWEST)
    doing(table)
    t.equal(table.start(call('next'), 1, 6_000), undefined, why)
  }
  const table = new SlotTable()
  table.see(reading([], 0))
  t.equal(table.start(call('next'), 1, 10), undefined, 'without a strategy')
})

t.test('a reading shows where unnamed calls are, and when others are gone', async t => {
  const table = new SlotTable(LOWEST)
  table.see(reading([], 0))
  table.start(call('wide'), 1, 10)
  table.start({ ...call('unnamed'), nameable: false }, 2, 20)
  t.same(table.idle(30), [])
  table.see(reading([0, 1, 3], 2_000))
  t.same(table.idle(2_000), [2])
  table.release('unnamed', false, undefined, 2_100)
  t.same(table.idle(2_200), [2], 'which slots were its own is not known until the next reading')
  table.see(reading([0], 4_000))
  t.same(table.idle(4_000), [1, 2, 3])

  const shared = new SlotTable(LOWEST)
  shared.see(reading([2], 0))
  shared.see(reading([], 2_000))
  shared.see(reading([], 29_999))
  t.same(shared.idle(29_999), [])
  t.same(shared.idle(30_000), [0, 1, 2, 3])
})

t.test('what was let go of while a reading was under way is nobody else\'s', async t => {
  const table = new SlotTable(LOWEST)
  table.see(reading([], 0))
  table.start(call('a'), 1, 10)
  table.release('a', false, undefined, 1_950)
  table.see(reading([0], 2_000))
  t.same(table.idle(2_000), [0, 1, 2, 3])
  table.start(call('unnamed', false), 1, 2_010)
  table.release('unnamed', false, undefined, 3_999)
  table.see(reading([1], 4_000))
  t.same(table.idle(4_000), [0, 2, 3], 'it may still be there, and is no stranger')
})

t.test('the slot of a call that was broken off is not named until it is seen idle', async t => {
  const table = new SlotTable(LOWEST)
  table.see(reading([], 0))
  table.start(call('left'), 1, 10)
  table.release('left', true, undefined, 1_000)
  t.same(table.idle(1_000), [1, 2, 3])
  table.see(reading([], 1_050))
  t.same(table.idle(1_050), [1, 2, 3], 'too soon to tell')
  table.see(reading([], 3_050))
  t.same(table.idle(3_050), [0, 1, 2, 3])
})

t.test('a call waits for a busy slot no longer than was said at first', async t => {
  const asked: unknown[] = []
  const table = new SlotTable({ ...LOWEST, awaits: (_call: unknown, idle: readonly number[], busy: unknown) => { asked.push([idle, busy]); return 100 } })
  table.see(reading([], 0))
  table.start(call('runs'), 1, 10)
  table.start(call('runs, too'), 1, 10)
  const waiting: Placed = call('waits')
  const awaits = (atMs: number, who = waiting): boolean => table.awaits(who, id => id === 'runs' ? 50 : undefined, 1, atMs)
  t.equal(awaits(20), true)
  t.same(asked, [[[2, 3], [{ slot: 0, leftMs: 50 }, { slot: 1, leftMs: Infinity }]]])
  t.equal(nextWakeMs([waiting, {}], 20), 120)
  t.equal(awaits(119), true)
  t.equal(awaits(120), false)
  t.equal(nextWakeMs([waiting], 120), undefined)
  t.equal(awaits(20, call('elsewhere', false)), false)
  table.see(reading([2, 3], 2_000))
  t.equal(awaits(2_000, call('late')), false, 'nothing is certain, so nothing is worth waiting for')
})

t.test('slots of named calls are busy by their own doing', async t => {
  const table = new SlotTable(LOWEST)
  table.see(reading([], 0))
  table.start(call('a'), 1, 10)
  table.see(reading([0], 2_000))
  t.same(table.idle(2_000), [1, 2, 3], 'and not by a stranger’s')
})
