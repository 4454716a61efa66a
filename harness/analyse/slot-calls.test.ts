import t from 'tap'
import { simulate } from './testing.js'
import { hiddenQueue, slotCalls } from './slot-calls.js'
import { callRecord } from './testing-records.js'
import type { Block } from '../types.js'

const LOG_BEGINS_MS = 37

/** Calls by when they are sent, when their slot begins (absent: never) and ends, milliseconds after the judged window opens. */
function blockWith (calls: ReadonlyArray<{ readonly sentMs: number, readonly slot?: readonly [fromMs: number, toMs: number], readonly overMs: number }>): Block {
  const [block] = simulate({ pairs: 1, windowSeconds: 10 }).blocks
  if (block === undefined) throw new Error('the simulation has no block')
  const { judgedFromMs: zero, loadFromMs } = block.evidence
  const launchedMs = loadFromMs - 5000
  return {
    ...block,
    evidence: { ...block.evidence, serverStart: { launchedMs, readyMs: launchedMs + 400 } },
    records: calls.map(({ sentMs, slot, overMs }, i) => callRecord({ id: String(i), arrivedAtMs: zero + sentMs, admittedAtMs: zero + sentMs, overAtMs: zero + overMs, ...(slot === undefined ? {} : { upstreamHeadersAtMs: zero + slot[0] }) })),
    slotStays: calls.flatMap(({ slot }, i) => slot === undefined ? [] : { task: i, fromMs: zero + slot[0] - launchedMs - LOG_BEGINS_MS, toMs: zero + slot[1] - launchedMs - LOG_BEGINS_MS })
  }
}

t.test('calls and slots are paired by their order, on one clock', async t => {
  const block = blockWith([{ sentMs: 1000, slot: [1010, 3000], overMs: 2000 }, { sentMs: 1100, slot: [1120, 1900], overMs: 1900 }])
  const { judgedFromMs: zero } = block.evidence
  t.same(slotCalls(block)?.map(({ record, goneMs }) => [record.id, goneMs === undefined ? undefined : Math.round(goneMs - zero)]), [['0', 3000], ['1', 1900]])
  t.equal(slotCalls({ ...block, slotStays: block.slotStays?.slice(1) ?? [] }), null, 'a log with other stays is no measure')
})

t.test('a call that is broken off as its slot begins has a stay and no headers', async t => {
  const calls = [{ sentMs: 0, slot: [10, 3000], overMs: 3000 }, { sentMs: 3100, slot: [3110, 5000], overMs: 5000 }, { sentMs: 8900, overMs: 9000 }] as const
  const block = blockWith(calls)
  const stays = block.slotStays ?? []
  const withStay = (fromMs: number): Block => ({ ...block, slotStays: [...stays, { task: 9, fromMs: fromMs + (stays[0]?.fromMs ?? 0) - 10 }] })
  t.same(slotCalls(withStay(8990))?.map(({ goneMs }) => Math.round((goneMs ?? NaN) - block.evidence.judgedFromMs)), [3000, 5000, 9000])
  t.equal(slotCalls(withStay(1500)), null, 'one in the middle is another call')
  t.equal(slotCalls({ ...withStay(8990), records: block.records.slice(0, 2) }), null, 'nobody sent it')
})

t.test('what is at llama-server beyond its slots is its hidden queue', async t => {
  const block = blockWith([
    { sentMs: 0, slot: [0, 4000], overMs: 1000 },
    { sentMs: 2000, slot: [4000, 6000], overMs: 6000 },
    { sentMs: 5000, overMs: 5500 }
  ])
  const seconds = (slots: number): number => Math.round((hiddenQueue(block, slots) ?? NaN) * 10_000) / 1000
  t.equal(seconds(1), 2.5, 'one waits for two seconds, one leaves after half a second in the queue')
  t.equal(seconds(2), 0)
})
