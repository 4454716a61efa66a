import t from 'tap'
import { drawn, setUp, stream, verdicts } from './testing-flights.js'
import { settle, type TestCall } from './testing.js'

t.test('retries', async t => {
  const attempt = (count: number, more: Record<string, string> = {}): Partial<TestCall> => ({ headers: new Map(Object.entries({ 'x-stainless-retry-count': String(count), 'x-stainless-timeout': '10', ...more })) })

  t.test('of a call that still runs takes it over, drawn or not', async t => {
    const { ask, at, upstream, policy } = setUp()
    const first = await ask(drawn, attempt(0))
    at(0).answer(200, '', stream)
    at(0).send('a')
    const retry = await ask(drawn, attempt(1))
    t.equal(upstream.calls.length, 1)
    first.call.leave()
    at(0).send('b')
    at(0).end()
    await settle()
    t.equal(retry.text, 'ab|END')
    t.same(verdicts(retry), ['single-flight follow: a retry of a call under way'])
    t.match(policy.gauges(), { reattached: 1, followed: 0 })
  })

  t.test('a client that gave up at its announced limit is waited for', async t => {
    const { ask, at, upstream, port } = setUp()
    const first = await ask(drawn, attempt(0))
    await port.clock.advance(10_000)
    first.call.leave()
    await settle()
    t.equal(at(0).call.signal.aborted, false)
    t.ok(first.error)
    await port.clock.advance(500)
    const retry = await ask(drawn, attempt(1))
    t.equal(upstream.calls.length, 1)
    at(0).answer(200, '', stream)
    at(0).send('a')
    at(0).end()
    await settle()
    t.equal(retry.text, 'a|END')
    t.equal(port.clock.timers, 0)
  })

  t.test('and finds what came to its end meanwhile, whole or streamed', async t => {
    for (const json of [drawn, { ...drawn, stream: false }]) {
      const { ask, at, upstream, port, policy } = setUp()
      const first = await ask(json, attempt(0))
      await port.clock.advance(10_000)
      first.call.leave()
      at(0).answer(200, json.stream ? '' : 'a', json.stream ? stream : {})
      await settle()
      if (json.stream) at(0).send('a')
      at(0).end()
      at(0).release()
      await settle()
      const retry = await ask(json, attempt(1))
      t.match(retry.text, /^a/)
      t.equal(retry.outcome?.how, 'complete')
      t.equal(upstream.calls.length, 1)
      await port.clock.advance(3_000)
      t.match(policy.gauges(), { flights: 0 })
      t.equal(port.clock.timers, 0)
    }
  })

  t.test('not for ever, and not for one that just left', async t => {
    const { ask, at, port, policy } = setUp({ retryGraceMs: 2_000 })
    const slow = await ask(drawn, attempt(0))
    await port.clock.advance(10_000)
    slow.call.leave()
    await port.clock.advance(1_999)
    t.equal(at(0).call.signal.aborted, false)
    await port.clock.advance(1)
    t.ok(at(0).call.signal.aborted)
    t.match(policy.gauges(), { flights: 0 })
    for (const [waitedMs, headers] of [[4_000, attempt(0)], [10_000, {}]] as const) {
      const left = await ask(drawn, headers)
      await port.clock.advance(waitedMs)
      left.call.leave()
      await settle()
      t.ok(left.call.signal.aborted)
    }
    t.ok(at(1).call.signal.aborted)
    t.ok(at(2).call.signal.aborted)
  })

  t.test('grace can be switched off', async t => {
    const { ask, at, port } = setUp({ retryGraceMs: 0 })
    const first = await ask(drawn, attempt(0))
    await port.clock.advance(10_000)
    first.call.leave()
    await settle()
    t.ok(at(0).call.signal.aborted)
  })

  t.test('of two draws only the one that nobody waits for is known to be tried again', async t => {
    const { ask, upstream, port } = setUp()
    await ask(drawn, attempt(0))
    const other = await ask(drawn, attempt(0))
    await ask(drawn, attempt(1))
    t.equal(upstream.calls.length, 3, 'it could be either')
    await port.clock.advance(10_000)
    other.call.leave()
    await settle()
    const retry = await ask(drawn, attempt(1))
    t.equal(upstream.calls.length, 3)
    t.match(retry.call.decisions, [{ verdict: 'pass' }, {}].slice(1))
  })

  t.test('of another caller is no retry', async t => {
    const { ask, upstream } = setUp({ sharedAmong: 'all' })
    await ask(drawn, attempt(0))
    await ask(drawn, { ...attempt(1), caller: 'b' })
    t.equal(upstream.calls.length, 2)
  })

  t.test('an idempotency key says it, too', async t => {
    const { ask, upstream } = setUp()
    const keyed = (key: string): Partial<TestCall> => ({ headers: new Map([['idempotency-key', key]]) })
    await ask(drawn, keyed('a'))
    await ask(drawn, keyed('b'))
    await ask(drawn, keyed('a'))
    t.equal(upstream.calls.length, 2)
  })
})
