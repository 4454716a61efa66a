import t from 'tap'
import type { Clock } from '../policies/contract.js'
import { Drain } from './drain.js'

t.test('it starts once, and tells how long until the gateway is surely gone', async t => {
  let nowMs = 1000
  const clock: Clock = { nowMs: () => nowMs, setTimeout: () => undefined, clearTimeout: () => undefined }
  let started = 0
  const drain = new Drain(clock, 8000, () => { started++ })
  t.equal(drain.draining, false)
  t.equal(drain.retryAfterSeconds, 1, 'at least 1 s, also before')
  drain.start()
  t.equal(drain.draining, true)
  t.equal(drain.retryAfterSeconds, 8)
  nowMs = 5000
  drain.start()
  t.equal(started, 1)
  t.equal(drain.retryAfterSeconds, 4, 'a second start does not put the end off')
  nowMs = 60_000
  t.equal(drain.retryAfterSeconds, 1)
})
