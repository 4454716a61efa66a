import t from 'tap'
import { ForecastErrors } from './forecast-errors.js'
import { seededRandom } from './testing-traffic.js'

t.test('nothing is said before twenty calls of this depth', async t => {
  const errors = new ForecastErrors()
  for (let call = 0; call < 19; call++) errors.sample(100, 100, 0)
  t.equal(errors.interval(100, 0), undefined)
  errors.sample(100, 100, 0)
  t.same(errors.interval(100, 0), { lowMs: 100, highMs: 100 })
  t.equal(errors.interval(100, 5), undefined)
})

t.test('four in five real times fall into it, whatever the errors look like, and in its own depth', async t => {
  const random = seededRandom(7)
  const errors = new ForecastErrors()
  const inside = { quiet: 0, busy: 0 }
  const calls = 4_000
  for (let call = 0; call < calls; call++) {
    const forecastMs = 200 + 3_000 * random()
    const quietMs = forecastMs * (0.95 + 0.1 * random())
    // Skewed: mostly a little late, sometimes three times the forecast.
    const busyMs = forecastMs * (1 + random() ** 6 * 2)
    for (const [name, depth, realMs] of [['quiet', 0, quietMs], ['busy', 6, busyMs]] as const) {
      const interval = errors.interval(forecastMs, depth)
      if (interval !== undefined && realMs >= interval.lowMs && realMs <= interval.highMs) inside[name]++
      errors.sample(forecastMs, realMs, depth, interval)
    }
  }
  for (const [name, count] of Object.entries(inside)) t.ok(count / calls > 0.77 && count / calls < 0.83, `${name}: ${(count / calls).toFixed(3)}`)
  const quiet = errors.interval(1_000, 0)
  const busy = errors.interval(1_000, 6)
  t.ok((busy?.highMs ?? 0) - (busy?.lowMs ?? 0) > 2 * ((quiet?.highMs ?? 0) - (quiet?.lowMs ?? 0)))
})

t.test('control: forecasts of other calls need a far wider interval for the same coverage', async t => {
  const random = seededRandom(8)
  const width = (shuffled: boolean): number => {
    const errors = new ForecastErrors()
    for (let call = 0; call < 128; call++) {
      const forecastMs = 200 + 3_000 * random()
      errors.sample(shuffled ? 200 + 3_000 * random() : forecastMs, forecastMs * (0.95 + 0.1 * random()), 0)
    }
    const { lowMs, highMs } = errors.interval(1_000, 0) ?? { lowMs: 0, highMs: 0 }
    return highMs - lowMs
  }
  t.ok(width(true) > 5 * width(false))
})

t.test('errors that hang together and are known late are covered all the same', async t => {
  const random = seededRandom(9)
  const errors = new ForecastErrors()
  const late: Array<() => void> = []
  let drift = 0
  let inside = 0
  let n = 0
  for (let call = 0; call < 20_000; call++) {
    drift = 0.98 * drift + 0.1 * (random() - 0.5)
    const realMs = 1_000 * Math.exp(drift + 0.05 * (random() - 0.5))
    const interval = errors.interval(1_000, 6)
    late.push(() => errors.sample(1_000, realMs, 6, interval))
    if (late.length > 60) late.shift()?.()
    if (interval === undefined || call < 1_000) continue
    n++
    if (realMs >= interval.lowMs && realMs <= interval.highMs) inside++
  }
  t.ok(inside / n > 0.75 && inside / n < 0.85, (inside / n).toFixed(3))
})

t.test('the window moves', async t => {
  const errors = new ForecastErrors()
  for (let call = 0; call < 300; call++) errors.sample(100, 100, 0)
  for (let call = 0; call < 256; call++) errors.sample(100, 220, 0)
  t.same(errors.interval(100, 0), { lowMs: 220, highMs: 220 })
})
