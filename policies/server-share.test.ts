import t from 'tap'
import type { Way } from './batch-gain.js'
import { ServerShare, type Sharer } from './server-share.js'

const call = (sentAtMs: number | undefined, places = 1, way: Way = 'alone', length = 4): Sharer => ({ way, length, places, inputs: 2 * places, sentAtMs: () => sentAtMs })

t.test('time is shared among the places that are taken', async t => {
  const share = new ServerShare()
  const [a, b, wide] = [call(0), call(10), call(20, 2)]
  share.enter(a, 0)
  share.enter(b, 10)
  share.enter(wide, 20)
  t.equal(share.inputs, 8)
  t.equal(share.leave(a, 60), 10 + 5 + 10, 'alone, with one, with three')
  t.equal(share.leave(a, 60), undefined)
  t.equal(share.inputs, 6, 'who left twice is gone once')
  t.equal(share.leave(b, 90), 5 + 10 + 10)
  t.equal(share.leave(wide, 100), 2 * (10 + 10 + 5))
  t.equal(share.size, 0)
  const only = call(100)
  share.enter(only, 100)
  t.equal(share.leave(only, 120), undefined, 'by itself it leaves the server nothing to do now and then')
})

t.test('who waits for a place takes nothing; it begins when it went, whenever that is seen', async t => {
  const share = new ServerShare()
  const seen: { atMs?: number } = {}
  const [a, late] = [call(0), { ...call(0), sentAtMs: () => seen.atMs }]
  share.enter(a, 0)
  share.enter(late, 0)
  seen.atMs = 10
  t.equal(share.leave(a, 60), 10 + 25)
  const never = call(undefined)
  share.enter(never, 60)
  t.equal(share.leave(never, 70), undefined)
})

t.test('beside calls that go the other way nothing is learned', async t => {
  const share = new ServerShare()
  const [alone, joined, after] = [call(0), call(0, 4, 'joined'), call(50, 4, 'joined')]
  share.enter(alone, 0)
  share.enter(joined, 0)
  t.equal(share.leave(alone, 50), undefined)
  share.enter(after, 50)
  t.equal(share.leave(joined, 60), undefined)
  share.enter(call(60, 4, 'joined'), 60)
  t.ok(share.leave(after, 90))
})

t.test('what another length does is company like any other: both are measured', async t => {
  const share = new ServerShare()
  const [alone, joined] = [call(0), call(0, 4, 'joined', 64)]
  share.enter(alone, 0)
  share.enter(joined, 0)
  t.equal(share.leave(alone, 50), 10)
  share.enter(call(50, 1, 'alone'), 50)
  t.equal(share.leave(joined, 60), 4 * (10 + 2))
})
