import t from 'tap'
import { differenceOf, middleOf, middleOfPairs, quotientOf, ratioOf, speedOf, timeOf, type Figure } from './contention.js'
import type { StreamsView } from './streams-summary.js'

/** Blocks of a repeat as they were run; the value stands in the index. */
const view = (pair: number, condition: string, index: number, valid = true) => ({ summary: { pair, condition, index, valid } }) as StreamsView
const value: Figure = ({ summary: { index } }) => Number.isNaN(index) ? null : index

t.test('b ÷ a within each repeat: a machine that changes its speed between repeats moves nothing', async t => {
  // Half as fast in the second repeat, and in the third from between the two blocks on.
  const views = [view(1, 'a', 10), view(1, 'b', 30), view(2, 'b', 60), view(2, 'a', 20), view(3, 'a', 10), view(3, 'b', 60)]
  t.equal(middleOfPairs(views, 'a', 'b', ratioOf(value)), 3)
  t.equal((middleOf(views, 'b', value) ?? NaN) / (middleOf(views, 'a', value) ?? NaN), 6, 'medians of all blocks would be of unlike machines')
  t.equal(middleOfPairs(views, 'a', 'b', differenceOf(value)), 40)
  t.equal(middleOfPairs(views, 'a', 'b', quotientOf(value, () => 10)), 6)
})

t.test('of an even number of repeats the mean of the two in the middle: the lower one would be the least of two', async t => {
  t.equal(middleOfPairs([view(1, 'a', 10), view(1, 'b', 20), view(2, 'a', 10), view(2, 'b', 40)], 'a', 'b', ratioOf(value)), 3)
})

t.test('a repeat that lacks a valid block is left out; one that lacks the figure, or divides by nothing, is no value', async t => {
  t.equal(middleOfPairs([view(1, 'a', 10), view(1, 'b', 20), view(2, 'a', 10, false), view(2, 'b', 90)], 'a', 'b', ratioOf(value)), 2)
  t.equal(middleOfPairs([view(1, 'a', 10), view(2, 'b', 20)], 'a', 'b', ratioOf(value)), null)
  for (const missing of [view(2, 'a', NaN), view(2, 'a', 0)]) t.equal(middleOfPairs([view(1, 'a', 10), view(1, 'b', 20), missing, view(2, 'b', 20)], 'a', 'b', ratioOf(value)), null)
})

t.test('times and speeds of two blocks are compared at the pace of each, other figures as they are', async t => {
  const paced = (condition: string, index: number, ms: number, threads = 1) => ({ summary: { pair: 1, condition, index, valid: true, yardstick: { threads, ms } } }) as StreamsView
  const [a, b] = [paced('a', 10, 3), paced('b', 60, 6)]
  t.equal(ratioOf(value)(a, b), 6)
  t.equal(ratioOf(timeOf(value))(a, b), 3, 'half of it was the machine')
  t.equal(ratioOf(speedOf(value))(a, b), 12, 'though it was so slow')
  t.equal(quotientOf(timeOf(value), timeOf(() => 20))(a, b), 1.5)
  t.equal(quotientOf(timeOf(value), value)(a, b), 6, 'of unlike kinds')
  t.equal(differenceOf(timeOf(value))(a, b), 50)
  t.equal(ratioOf(timeOf(value))(paced('a', 10, 3, 2), b), 6, 'two threads tell nothing of one')
  t.equal(ratioOf(timeOf(value))(view(1, 'a', 10), b), null, 'one reading is none')
  t.equal(ratioOf(value)(view(1, 'a', 10), b), 6, 'which is no matter where no pace is asked for')
  t.equal(ratioOf(timeOf(value))(view(1, 'a', 10), view(1, 'b', 60)), 6, 'runs before there was one')
})
