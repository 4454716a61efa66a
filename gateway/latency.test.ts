import t from 'tap'
import { FakeClock } from '../policies/testing.js'
import { Latency } from './latency.js'

t.test('percentiles are of the last one to two minutes, within a hundredth', async t => {
  const clock = new FakeClock()
  const latency = new Latency(clock)
  t.same(latency.percentiles(), { n: 0, p50: 0, p95: 0, p99: 0, max: 0 })
  for (let ms = 1; ms <= 100; ms++) latency.record(ms)
  const { n, p50, p95, max } = latency.percentiles()
  t.equal(n, 100)
  for (const [seen, real] of [[p50, 50], [p95, 95], [max, 100]] as const) t.ok(Math.abs(seen / real - 1) <= 0.01, `${seen} of ${real}`)

  await clock.advance(60_000)
  latency.record(500)
  t.equal(latency.percentiles().n, 101, 'the minute before is still in it')
  await clock.advance(60_000)
  t.equal(latency.percentiles().n, 1, 'after a second minute it is not')
  await clock.advance(180_000)
  t.equal(latency.percentiles().n, 0, 'nothing is kept of a minute that ended long ago')
})

t.test('a clock that stepped back is no negative latency', async t => {
  const latency = new Latency(new FakeClock())
  latency.record(-3)
  t.match(latency.percentiles(), { n: 1, max: 0 })
})
