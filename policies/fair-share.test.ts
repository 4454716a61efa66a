import t from 'tap'
import { chargeOf, FairShare } from './fair-share.js'

/** A call so large that a handful of them is more than anybody was served. */
const MANY = 1e6

t.test('a generated token counts as two of the prompt', async t => {
  t.equal(chargeOf(40, 16), 72)
})

t.test('counters grow by tokens over weight', async t => {
  const share = new FairShare()
  share.charge('a', 1, 100)
  share.charge('b', 4, 100)
  t.same([share.counter('a'), share.counter('b'), share.counter('c')], [100, 25, 0])
})

/** `busy`, always there, is served 100 tokens a second. */
function busySeconds (seconds: number): FairShare {
  const share = new FairShare()
  share.arrive('busy', 0, MANY)
  for (let second = 1; second <= seconds; second++) {
    share.charge('busy', 1, 100)
    share.arrive('busy', second * 1000, MANY)
    share.gone('busy', second * 1000)
  }
  return share
}

t.test('who comes back is lifted to the lowest of those present ten seconds ago: a longer pause saves up nothing', async t => {
  for (const [seconds, lifted] of [[5, 0], [12, 200], [30, 2000], [60, 5000]] as const) {
    const share = busySeconds(seconds)
    share.arrive('late', seconds * 1000, MANY)
    t.equal(share.counter('late'), lifted, `${seconds} s, the lowest is ${share.counter('busy')}`)
  }
})

t.test('who had a call in the last ten seconds is lifted to then, however small its calls', async t => {
  const share = busySeconds(30)
  share.arrive('known', 30_000, 50)
  share.gone('known', 30_000)
  for (let second = 31; second <= 38; second++) {
    share.charge('busy', 1, 100)
    share.arrive('busy', second * 1000, 50)
    share.gone('busy', second * 1000)
  }
  share.arrive('known', 38_000, 50)
  share.arrive('new', 38_000, 50)
  t.same([share.counter('known'), share.counter('new')], [2800, 3600])
})

t.test('but at most a handful of its calls below the lowest of now: who comes and sends many stops nobody for long', async t => {
  const share = busySeconds(30)
  share.arrive('greedy', 30_000, 50)
  t.equal(share.counter('greedy'), 2800, 'ten seconds ago the lowest was at 2000')
})

t.test('calls that end show what the lowest is, too: nobody need arrive meanwhile', async t => {
  const share = new FairShare()
  for (let call = 0; call < 60; call++) share.arrive('busy', 0, MANY)
  for (let second = 1; second < 60; second++) {
    share.charge('busy', 1, 100)
    share.gone('busy', second * 1000)
  }
  share.arrive('late', 60_000, MANY)
  t.equal(share.counter('late'), 5000)
})

t.test('and is lifted only when it had nothing here', async t => {
  const share = busySeconds(30)
  share.arrive('late', 30_000, MANY)
  share.charge('busy', 1, 9_000)
  share.arrive('late', 90_000, MANY)
  t.equal(share.counter('late'), 2000)
})

t.test('one who claims its share does not lower what others may claim', async t => {
  const share = busySeconds(30)
  share.arrive('late', 30_000, MANY)
  share.arrive('later', 39_000, MANY)
  t.equal(share.counter('later'), 2900)
})

t.test('who was served more than the others keeps that over a pause', async t => {
  const share = new FairShare()
  share.arrive('a', 0, MANY)
  share.arrive('b', 0, MANY)
  share.charge('a', 1, 900)
  share.gone('a', 1)
  share.arrive('a', 1, MANY)
  t.equal(share.counter('a'), 900)
})

t.test('when nobody is left all begin anew', async t => {
  const share = new FairShare()
  share.arrive('a', 0, MANY)
  share.charge('a', 1, 900)
  share.gone('a', 0)
  t.equal(share.counter('a'), 0)
})
