import t from 'tap'
import { nearestRank, percentiles } from './percentile.js'

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => n - i)

t.test('nearest rank', async t => {
  t.equal(nearestRank([1, 2, 3, 4], 0.5), 2)
  t.equal(nearestRank([1, 2, 3, 4, 5], 0.5), 3)
  t.equal(nearestRank(upTo(1000).reverse(), (1 - 0.95) / 2), 25, 'not 26 by rounding')
  t.equal(nearestRank([], 0.5), undefined)
})

t.test('below its floor a percentile is null, and the floor applies to the effective n', async t => {
  t.match(percentiles(upTo(5), 5), { p50: null, p95: null, p99: null })
  t.match(percentiles(upTo(6), 6), { p50: 3, p95: null })
  t.match(percentiles(upTo(58), 58), { p95: null })
  t.match(percentiles(upTo(59), 59), { p95: 57, p99: null })
  t.match(percentiles(upTo(299), 299), { p99: 297 })
  t.match(percentiles(upTo(299), 58), { p50: 150, p95: null, p99: null })
})

t.test('right-censored samples are worse than any and are never stated as a number', async t => {
  const values = [...upTo(90), ...Array<number>(10).fill(Infinity)]
  const found = percentiles(values, 100, 50)
  t.equal(found.p50, 50)
  t.equal(found.p95, null)
  t.same(found.censoredAbove, { p95: 90 }, 'above the largest that was seen')
  t.same(percentiles(values, 100, 1500).censoredAbove, { p95: 1500 }, 'or above the bound')
  t.same(percentiles(upTo(100), 100, 50).censoredAbove, {})
})
