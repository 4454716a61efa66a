import t from 'tap'
import { dividedUsage } from './divided-usage.js'

t.test('special tokens around texts are the same for each of them, ids have none', async t => {
  t.same(dividedUsage(['a', 'b c'], [1, 2], 7), [3, 4])
  t.same(dividedUsage(['a', [7, 8, 9], 'b c'], [1, 2], 8), [2, 3, 3])
  t.same(dividedUsage([[1], [2, 3]], [], 3), [1, 2])
})

t.test('a sum that does not fit the counts is not divided', async t => {
  t.equal(dividedUsage(['a', 'b'], [1, 1], 5), undefined, 'three special tokens for two texts')
  t.equal(dividedUsage(['a'], [2], 1), undefined, 'fewer than counted')
  t.equal(dividedUsage([[1], [2]], [], 3), undefined)
  t.equal(dividedUsage(['a', 'b'], [], 4), undefined, 'nothing was counted')
})
