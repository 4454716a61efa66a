import t from 'tap'
import { CostModel } from './cost-model.js'
import { hasRoom, type RoomOptions } from './room.js'
import type { Running } from './schedule-entry.js'

const costs = new CostModel()

function call (promptTokens: number, maxTokens: number, firstByteAtMs?: number): Running {
  return {
    id: '',
    places: 1,
    atMs: 0,
    sinceMs: 0,
    caller: '',
    weight: 1,
    priority: 0,
    maxPlaces: Infinity,
    nameable: false,
    long: false,
    depth: 0,
    charge: 0,
    ttftLimitMs: Infinity,
    finishLimitMs: Infinity,
    work: { promptTokens, maxTokens, bodyBytes: 0 },
    prefillTokens: promptTokens,
    predictedWaitMs: 0,
    predictedFirstByteMs: 0,
    predictedFinishMs: 0,
    teachesMargin: false,
    startedAtMs: 0,
    company: 1,
    placeMsAtStart: 0,
    ...(firstByteAtMs === undefined ? {} : { firstByteAtMs })
  }
}

function room (next: Running, running: readonly Running[], options: RoomOptions): boolean {
  return hasRoom(next, running, options, costs)
}

t.test('without a budget there is always room', async t => {
  t.equal(room(call(9_999, Infinity), [call(9_999, Infinity)], {}), true)
})

t.test('prompts and bounds of all that run stay within the pool', async t => {
  const options = { kvTokens: 1_000 }
  t.equal(room(call(300, 100), [call(400, 200, 5)], options), true)
  t.equal(room(call(301, 100), [call(400, 200, 5)], options), false)
  t.equal(room(call(10, Infinity), [call(10, 10, 5)], options), false, 'no bound: the pool could be needed to its end')
  t.equal(room(call(9_000, 100), [], options), true, 'alone: llama-server says itself what it thinks of it')
})

t.test('one budget of prompt tokens in prefill; who decodes does not count', async t => {
  const options = { prefillTokens: 500 }
  t.equal(room(call(100, 10), [call(400, 10)], options), true)
  t.equal(room(call(101, 10), [call(400, 10)], options), false)
  t.equal(room(call(400, 10), [call(9_000, 10, 5)], options), true)
  t.equal(room(call(9_000, 10), [call(400, 10, 5)], options), true, 'larger than the lane: when nothing else is in prefill')
  t.equal(room(call(9_000, 10), [call(4, 10)], options), false)
})
