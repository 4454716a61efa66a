import t from 'tap'
import { AnswerStore } from './answer-store.js'
import { templateOf } from './replay.js'

const answer = (bytes: number, endedAtMs = 0): Parameters<AnswerStore['set']>[1] => ({ headers: {}, template: templateOf(Buffer.alloc(bytes, 'x'), false), endedAtMs })

t.test('bounded by bytes, keys and all: the one not asked for the longest goes', async t => {
  const store = new AnswerStore({ maxBytes: 100_000, ttlMs: 1_000 })
  for (const key of ['a', 'b', 'c']) store.set(key, answer(30_000))
  t.ok(store.get('a', 0))
  store.set('d', answer(30_000))
  t.same(['a', 'b', 'c', 'd'].map(key => store.get(key, 0) !== undefined), [true, false, true, true])
  t.ok(store.bytes > 90_000 && store.bytes <= 100_000)
  t.same(store.counts, { stored: 4, evicted: 1, expired: 0, flushed: 0 })
  store.set('x'.repeat(98_500), answer(1))
  t.equal(store.entries, 1, 'a long key counts')
})

t.test('one that is larger than all is not kept, and drives nothing out', async t => {
  const store = new AnswerStore({ maxBytes: 65_536, ttlMs: 1_000 })
  store.set('a', answer(1_000))
  store.set('b', answer(70_000))
  t.ok(store.get('a', 0))
  t.notOk(store.get('b', 0))
  t.equal(store.counts.stored, 1)
})

t.test('too old', async t => {
  const store = new AnswerStore({ maxBytes: 65_536, ttlMs: 1_000 })
  store.set('a', answer(1_000, 5_000))
  t.ok(store.get('a', 6_000))
  t.notOk(store.get('a', 6_001))
  t.equal(store.entries, 0)
  t.equal(store.bytes, 0)
  t.equal(store.counts.expired, 1)
})

t.test('flushed', async t => {
  const store = new AnswerStore({ maxBytes: 65_536, ttlMs: 1_000 })
  store.set('a', answer(1))
  store.flush()
  t.notOk(store.get('a', 0))
  t.same(store.counts, { stored: 1, evicted: 0, expired: 0, flushed: 1 })
})
