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

/** `busy`, always there, is served 100 tokens a second; others come and go at its full seconds. */
function busySeconds (seconds: number, others: (share: FairShare, second: number) => void = () => {}): FairShare {
  const share = new FairShare()
  share.arrive('busy', 0, 0)
  for (let second = 1; second <= seconds; second++) {
    share.charge('busy', 1, 100)
    share.arrive('busy', second * 1000, 0)
    share.gone('busy', second * 1000)
    others(share, second)
  }
  return share
}

t.test('who comes now and then is lifted to the lowest of those present ten seconds ago: a pause saves up no more', async t => {
  for (const [seconds, lifted] of [[10, 510], [20, 1000], [60, 5000]] as const) {
    const share = busySeconds(seconds, (share, second) => {
      if (second % 5 > 0) return
      share.arrive('now and then', second * 1000, 0)
      if (second < seconds) share.charge('now and then', 1, 10)
      share.gone('now and then', second * 1000)
    })
    t.equal(share.counter('now and then'), lifted, `${seconds} s, the lowest is ${share.counter('busy')}`)
  }
})

t.test('who is new, or was away for longer, begins beside the one that was served most in the last ten seconds', async t => {
  const share = busySeconds(30)
  share.arrive('modest', 30_000, 0)
  share.gone('modest', 30_000)
  share.arrive('new', 38_000, 0)
  share.arrive('newer', 38_000, 50)
  t.same([share.counter('new'), share.counter('newer')], [3000, 2900], 'not at the lowest of now, but for two of its calls')
  t.equal(share.counter('modest'), 3000)
  share.charge('busy', 1, 5000)
  share.arrive('busy', 45_000, 0)
  share.arrive('modest', 45_000, 0)
  t.equal(share.counter('modest'), 8000, 'fifteen seconds away')
})

t.test('a server that is never idle does not remember every caller that it ever had', async t => {
  const share = busySeconds(600, (share, second) => {
    share.arrive(`caller ${second}`, second * 1000, 50)
    share.gone(`caller ${second}`, second * 1000)
  })
  t.ok(share.size < 30, `${share.size} of 601`)
})

t.test('and is lifted only when it had nothing here', async t => {
  const share = busySeconds(30)
  share.arrive('late', 30_000, 0)
  share.charge('busy', 1, 9_000)
  share.arrive('late', 90_000, 0)
  t.equal(share.counter('late'), 3000)
})

t.test('who was served more than the others keeps that over a pause', async t => {
  const share = new FairShare()
  share.arrive('a', 0, 0)
  share.arrive('b', 0, 0)
  share.charge('a', 1, 900)
  share.gone('a', 1)
  share.arrive('a', 1, 0)
  t.equal(share.counter('a'), 900)
})

t.test('when nobody is left all begin anew', async t => {
  const share = new FairShare()
  share.arrive('a', 0, 0)
  share.charge('a', 1, 900)
  share.gone('a', 0)
  t.equal(share.counter('a'), 0)
})
