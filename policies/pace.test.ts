import t from 'tap'
import { Pace } from './pace.js'

t.test('interval = saturated time ÷ places released in it', async t => {
  const pace = new Pace()
  t.equal(pace.intervalMs(4), undefined)
  let atMs = 0
  for (let release = 0; release < 30; release++) {
    pace.advance(atMs += 100, true)
    pace.released(1, 400, true, true)
    pace.advance(atMs += 900, false)
  }
  t.ok(Math.abs((pace.intervalMs(4) ?? NaN) - 100) < 1e-6, 'idle time between does not count')
  for (let release = 0; release < 60; release++) {
    pace.advance(atMs += 100, true)
    pace.released(2, 400, true, true)
  }
  t.ok(Math.abs((pace.intervalMs(4) ?? NaN) - 50) < 1, 'two places at a time are twice as fast')
})

t.test('before saturation was seen: service time ÷ places', async t => {
  const pace = new Pace()
  pace.advance(100, false)
  pace.released(1, 800, false, false)
  t.equal(pace.intervalMs(4), 200)
  t.equal(pace.measured, false)
})

t.test('an overdue release counts at once', async t => {
  const pace = new Pace()
  for (let release = 1; release <= 30; release++) {
    pace.advance(release * 100, true)
    pace.released(1, 400, true, true)
  }
  pace.advance(3_050, true)
  t.ok(Math.abs((pace.intervalMs(4) ?? NaN) - 100) < 1e-6, 'half an interval late is nothing')
  pace.advance(13_000, true)
  t.ok((pace.intervalMs(4) ?? NaN) > 500)
})

t.test('service time of calls among full company, once one was seen', async t => {
  const pace = new Pace()
  t.equal(pace.serviceMs, undefined)
  pace.released(1, 300, false, false)
  t.equal(pace.serviceMs, 300)
  pace.released(1, 1_200, true, true)
  pace.released(1, 300, false, false)
  t.equal(pace.serviceMs, 1_200)
})
