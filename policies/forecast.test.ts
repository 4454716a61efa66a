import t from 'tap'
import { forecastWaitMs } from './forecast.js'

const one = (leftMs: number) => ({ leftMs, places: 1 })
const next = (serviceMs: number, places = 1) => ({ serviceMs, places })

t.test('a free place: no wait', async t => {
  t.equal(forecastWaitMs(1, [one(500)], [], 1), 0)
})

t.test('the first that ends lets it in; those in front take what ends before', async t => {
  t.equal(forecastWaitMs(0, [one(500), one(300)], [], 1), 300)
  t.equal(forecastWaitMs(0, [one(500), one(300)], [next(1_000)], 1), 500)
  t.equal(forecastWaitMs(0, [one(500), one(300)], [next(100)], 1), 400, 'the one in front is over before the other one that runs')
})

t.test('calls that started together end together', async t => {
  const batch = [one(100), one(100), one(100), one(100)]
  const line = Array.from({ length: 7 }, () => next(1_000))
  t.equal(forecastWaitMs(0, batch, line.slice(0, 3), 1), 100)
  t.equal(forecastWaitMs(0, batch, line.slice(0, 4), 1), 1_100)
  t.equal(forecastWaitMs(0, batch, line, 1), 1_100)
})

t.test('unequal lengths in front count with their own length', async t => {
  t.equal(forecastWaitMs(0, [one(10), one(10)], [next(5_000), next(50)], 1), 60)
})

t.test('a wide call waits for all its places and keeps those behind it waiting', async t => {
  t.equal(forecastWaitMs(1, [one(100), one(700)], [], 2), 100)
  t.equal(forecastWaitMs(1, [one(100), one(700)], [next(50, 3)], 1), 750)
  t.equal(forecastWaitMs(0, [one(100)], [next(10)], 9), 110, 'more places than there are: when all are free')
})
