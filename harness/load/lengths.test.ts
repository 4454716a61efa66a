import t from 'tap'
import type { WorkloadClass } from '../types.js'
import { drawnLengths, lengthsOf } from './lengths.js'

const drawn: WorkloadClass = { name: 'drawn', promptWords: { median: 40, sigma: 1, from: 4, to: 400 }, maxTokens: { median: 16, sigma: 1, from: 2, to: 200 }, share: 1 }
const fixed: WorkloadClass = { name: 'fixed', promptWords: 32, maxTokens: 16, share: 1 }
const seeds = Array.from({ length: 4000 }, (_, i) => i)
const at = (sorted: readonly number[], share: number): number => sorted[Math.floor(share * sorted.length)] ?? NaN

t.test('lognormal: median, and a factor of e at one sigma', async t => {
  for (const [key, median] of [['promptWords', 40], ['maxTokens', 16]] as const) {
    const values = seeds.map(seed => lengthsOf(drawn, seed)[key]).sort((a, b) => a - b)
    for (const [share, expected] of [[0.5, median], [0.8413, median * Math.E], [0.1587, median / Math.E]] as const) {
      t.ok(Math.abs(Math.log(at(values, share) / expected)) < 0.12, `${key} at ${share}: ${at(values, share)}, expected ${expected}`)
    }
  }
})

t.test('within its bounds the shape is kept, nothing heaps up at them', async t => {
  const short = { ...drawn, promptWords: { median: 40, sigma: 1, from: 4, to: 26 } }
  const values = seeds.map(seed => lengthsOf(short, seed).promptWords)
  t.ok(values.every(value => value >= 4 && value <= 26))
  t.ok(values.filter(value => value === 26).length < 0.08 * values.length)
  t.equal(lengthsOf({ ...drawn, promptWords: { median: 40, sigma: 0, from: 90, to: 95 } }, 1).promptWords, 90, 'bounds without anything between them end, too')
})

t.test('the same seed gives the same lengths; in and out are independent', async t => {
  t.same(lengthsOf(drawn, 7), lengthsOf(drawn, 7))
  const logs = seeds.map(seed => lengthsOf(drawn, seed)).map(({ promptWords, maxTokens }) => [Math.log(promptWords / 40), Math.log(maxTokens / 16)] as const)
  const correlation = logs.reduce((sum, [a, b]) => sum + a * b, 0) / logs.length
  t.ok(Math.abs(correlation) < 0.06, `correlation ${correlation}`)
})

t.test('a sample names lengths only where its class does not', async t => {
  t.same(lengthsOf(fixed, 1), { promptWords: 32, maxTokens: 16 })
  t.same(drawnLengths(fixed, 1), {})
  t.same(Object.keys(drawnLengths({ ...fixed, maxTokens: drawn.maxTokens }, 1)), ['maxTokens'])
})
