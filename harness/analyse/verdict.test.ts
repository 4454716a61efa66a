import t from 'tap'
import type { OutcomeSpec } from '../types.js'
import { judge, pairsNeeded } from './verdict.js'

const higher: OutcomeSpec = { metric: 'm', unit: 'u', better: 'higher', primary: true, matters: 1.1 }
const lower: OutcomeSpec = { ...higher, better: 'lower' }
const base = { n: 8, unit: 'pairs', spread: 0.1 }

t.test('direction follows what is better', async t => {
  const up = { ...base, ratio: 2, interval: [1.5, 2.5] as const, p: 0.008 }
  const down = { ...base, ratio: 0.5, interval: [0.4, 0.6] as const, p: 0.008 }
  t.equal(judge(up, higher, 0.05).verdict, 'better')
  t.equal(judge(up, lower, 0.05).verdict, 'worse')
  t.equal(judge(down, higher, 0.05).verdict, 'worse')
  t.same(judge(down, lower, 0.05), { verdict: 'better', because: '' })
})

t.test('equivalent is a result, also when a difference is certain but too small to matter', async t => {
  t.equal(judge({ ...base, ratio: 1, interval: [0.95, 1.05], p: 1 }, higher, 0.05).verdict, 'equivalent')
  const small = judge({ ...base, ratio: 1.05, interval: [1.03, 1.07], p: 0.008 }, higher, 0.05)
  t.equal(small.verdict, 'equivalent')
  t.match(small.because, /too small to matter/)
  t.not(judge({ ...base, ratio: 1, interval: [0.9, 1.05], p: 1 }, higher, 0.05).verdict, 'equivalent')
})

t.test('no verdict: not significant after adjustment, p without its interval, too few pairs', async t => {
  t.match(judge({ ...base, ratio: 1.3, interval: [1.05, 1.6], p: 0.06 }, higher, 0.05), { verdict: 'cannot say', because: /^neither a clear difference nor only differences inside \[0.909, 1.1\]; with this spread/ })
  t.equal(judge({ ...base, ratio: 1.3, interval: [0.99, 1.6], p: 0.04 }, higher, 0.05).verdict, 'cannot say')
  t.match(judge({ ...base, n: 5, ratio: 3, interval: null, p: 0.0625 }, higher, 0.05), { verdict: 'cannot say', because: 'described, not judged: 5 pairs, the smallest possible p is 0.0625' })
})

t.test('what it would take grows with the spread', async t => {
  t.match(judge({ ...base, spread: 0.3, ratio: 1, interval: [0.8, 1.3], p: 0.8 }, higher, 0.05).because, /about 80 pairs tell 1.1× from 1×/)
  t.equal(pairsNeeded(0.01, 1.1), 6)
})
