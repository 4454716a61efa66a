import t from 'tap'
import { admission } from './admission.js'
import { responseCache } from './response-cache.js'
import { greedy, setUp, stream } from './testing-flights.js'
import { settle } from './testing.js'

t.test('a slow reader holds nobody back and is cut off when it is too far behind', async t => {
  const { ask, at } = setUp({ maxBehindBytes: 65_536 })
  const [fast, slow] = [await ask(), await ask()]
  slow.room = false
  at(0).answer(200, '', stream)
  await settle()
  let room = true
  for (let index = 0; index < 20; index++) room = at(0).send('x'.repeat(10_000)) && room
  t.ok(room, 'upstream was never stopped')
  t.equal(fast.text.length, 200_000)
  await settle()
  t.match(slow.outcome, { how: 'cut', reason: 'slow-reader' })
  t.match(slow.text, /^x{10000}\|CUT .*behind/)
  const late = await ask()
  t.equal(late.text, '', 'what it would get is not whole any more: it asks for itself')
  at(0).end()
  await settle()
  t.match(fast.text, /\|END$/)
})

t.test('one place for all: the first one\'s admission holds it until upstream let go', async t => {
  const { ask, at, upstream, port } = setUp({}, { inner: port => [{ name: 'admission', run: admission.create({ slots: 1 }, port).run }] })
  const all = [await ask(), await ask(), await ask()]
  const other = await ask({ ...greedy, max_tokens: 1 })
  t.equal(upstream.active, 1)
  all[0]?.call.leave()
  at(0).answer(200, '', stream)
  at(0).send('a')
  at(0).end()
  await settle()
  t.same(all.slice(1).map(({ text }) => text), ['a|END', 'a|END'])
  t.equal(upstream.calls.length, 1, 'the place is not free before it is confirmed')
  at(0).release()
  await settle()
  t.equal(upstream.calls.length, 2)
  t.equal(other.answer, undefined)
  other.call.leave()
  await settle()
  t.ok(at(1).call.signal.aborted)
  at(1).fail('left', { unreleased: true })
  await settle()
  t.ok(other.error)
  at(1).release()
  await port.clock.advance(60_000)
  t.equal(port.clock.timers, 0)
})

t.test('behind a response cache: those who come while it runs follow, those who come after it get it from there, once kept', async t => {
  const { ask, at, upstream } = setUp({}, { outer: port => [{ name: 'response-cache', run: responseCache.create({}, port).run }] })
  const all = [await ask(), await ask()]
  at(0).answer(200, '', stream)
  at(0).send('data: 1\n\n')
  at(0).end()
  await settle()
  t.same(all.map(({ answer }) => answer?.headers['x-weir-cache']), ['miss', 'coalesced'])
  const after = await ask()
  t.equal(after.answer?.headers['x-weir-cache'], 'hit')
  t.equal(after.text, 'data: 1\n\n')
  t.equal(upstream.calls.length, 1)
})

t.test('in the shadow: all go upstream, and the record says who would have followed', async t => {
  const { ask, at, upstream } = setUp({}, { mode: 'shadow' })
  const [first, second] = [await ask(), await ask()]
  t.equal(upstream.calls.length, 2)
  for (const index of [0, 1]) at(index).answer(200, '', stream)
  await settle()
  const third = await ask()
  for (const index of [0, 1, 2]) {
    if (index === 2) at(2).answer(200, '', stream)
    at(index).send('a')
    at(index).end()
    at(index).release()
  }
  await settle()
  t.same([first, second, third].map(({ text }) => text), ['a|END', 'a|END', 'a|END'])
  t.same([first, second, third].map(asked => asked.call.decisions[0]?.verdict), ['pass', 'follow', 'follow'])
  t.equal(second.call.decisions[0]?.mode, 'shadow')
})
