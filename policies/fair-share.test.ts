import t from 'tap'
import { chargeOf, FairShare } from './fair-share.js'

t.test('a generated token counts as two of the prompt', async t => {
  t.equal(chargeOf(40, 16), 72)
})

t.test('counters grow by tokens over weight', async t => {
  const share = new FairShare()
  share.charge('a', 1, 100)
  share.charge('b', 4, 100)
  t.same([share.counter('a'), share.counter('b'), share.counter('c')], [100, 25, 0])
})

t.test('who comes back is lifted to the lowest of those present: a pause saves up nothing', async t => {
  const share = new FairShare()
  for (const caller of ['a', 'b', 'late']) share.arrive(caller)
  share.gone('late')
  share.charge('a', 1, 500)
  share.charge('b', 1, 300)
  share.arrive('late')
  t.equal(share.counter('late'), 300)
  share.arrive('late')
  share.charge('a', 1, -400)
  t.equal(share.counter('late'), 300, 'and is lifted only when it had nothing here')
})

t.test('who was served more than the others keeps that over a pause', async t => {
  const share = new FairShare()
  share.arrive('a')
  share.arrive('b')
  share.charge('a', 1, 900)
  share.gone('a')
  share.arrive('a')
  t.equal(share.counter('a'), 900)
})

t.test('when nobody is left all begin anew', async t => {
  const share = new FairShare()
  share.arrive('a')
  share.charge('a', 1, 900)
  share.gone('a')
  t.equal(share.counter('a'), 0)
})
