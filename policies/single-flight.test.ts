import t from 'tap'
import { refusal } from './answers.js'
import type { Answer, Policy } from './contract.js'
import { drawn, greedy, setUp, stream, verdicts } from './testing-flights.js'
import { settle, type HeldCall, type TestCall } from './testing.js'

t.test('fifty at once are one call, and each gets every byte', async t => {
  const { ask, at, upstream, policy, port } = setUp()
  const all = []
  for (let index = 0; index < 50; index++) all.push(await ask())
  t.equal(upstream.calls.length, 1)
  t.match(policy.gauges(), { flights: 1, aboard: 50, led: 1 })
  await port.clock.advance(500)
  at(0).answer(200, '', stream)
  await settle()
  for (const chunk of ['a', 'b', 'c']) at(0).send(chunk)
  at(0).end({ firstByteAtMs: 1_500, timings: { prompt_n: 1, prompt_ms: 1, predicted_n: 1, predicted_ms: 1 } })
  at(0).release()
  await settle()
  for (const asked of all) t.equal(asked.text, 'abc|END')
  const [first, second] = all
  t.same(verdicts(first!), ['single-flight pass: nobody asked the same'])
  t.match(second?.call.decisions, [{ verdict: 'follow', reason: 'the same call is under way', follows: first?.call.id, facts: { behindMs: 0, sentBytes: 0 }, steps: [] }])
  t.equal(second?.answer?.headers['x-weir-cache'], 'coalesced')
  t.equal(first?.answer?.headers['x-weir-cache'], undefined)
  t.match(first?.outcome, { how: 'complete', bytes: 3, firstByteAtMs: 1_500, timings: { prompt_n: 1 } })
  t.match(second?.outcome, { how: 'complete', bytes: 3, firstByteAtMs: 1_500, timings: undefined }, 'the work was done once and is counted once')
  t.ok(second?.released)
  t.match(policy.gauges(), { flights: 0, aboard: 0, led: 1, followed: 49 })
  await ask()
  t.equal(upstream.calls.length, 2, 'what is over is not shared any more')
})

t.test('a late one gets what was sent so far, and then the rest', async t => {
  const { ask, at, port } = setUp()
  await ask()
  at(0).answer(200, '', stream)
  at(0).send('a')
  await port.clock.advance(300)
  const late = await ask()
  t.equal(late.text, 'a')
  at(0).send('b')
  t.equal(late.text, 'ab')
  at(0).end({ firstByteAtMs: 1_000 })
  await settle()
  t.equal(late.text, 'ab|END')
  t.match(late.call.decisions, [{ facts: { behindMs: 300, sentBytes: 1 } }])
  t.equal(late.outcome?.firstByteAtMs, 1_300, 'its first byte did not come before it asked')
})

t.test('any may leave, before and after the headers, the first one, too; the last one takes upstream along', async t => {
  for (const headers of [false, true]) {
    for (const order of [[0, 1, 2], [2, 0, 1], [1, 2, 0]]) {
      const { ask, at, upstream, policy } = setUp()
      const all = [await ask(), await ask(), await ask()]
      if (headers) {
        at(0).answer(200, '', stream)
        await settle()
        at(0).send('a')
      }
      for (const [turn, index] of order.entries()) {
        t.equal(at(0).call.signal.aborted, false, `${headers} ${order.join()} ${turn}`)
        all[index]?.call.leave()
        await settle()
        if (headers) t.match(all[index]?.outcome, { how: 'left', bytes: 1 })
        if (turn < 2) {
          t.equal(headers ? all[index]?.released : all[index]?.error !== undefined, true, 'it waits for nothing')
          if (!headers) t.match(verdicts(all[index]!), ['single-flight leave: client left'])
        }
      }
      t.ok(at(0).call.signal.aborted)
      t.match(policy.gauges(), { flights: 0 })
      const last = all[order[2] ?? 0]
      t.notOk(last?.released ?? false, 'the record of the last one waits for upstream to let go')
      if (!headers) at(0).answer(499)
      at(0).end({ how: 'left' })
      at(0).release()
      await settle()
      t.ok(last?.released)
      const next = await ask()
      t.equal(upstream.calls.length, 2, 'and nobody joins what was given up')
      t.equal(next.answer, undefined)
    }
  }
})

t.test('those who stay get all of it', async t => {
  const { ask, at } = setUp()
  const [first, second] = [await ask(), await ask()]
  at(0).answer(200, '', stream)
  await settle()
  at(0).send('a')
  first.call.leave()
  at(0).send('b')
  at(0).end()
  await settle()
  t.equal(second.text, 'ab|END')
  t.match(second.outcome, { how: 'complete', bytes: 2 })
  t.equal(first.text, 'a|CUT the client left')
})

t.test('a whole answer, and an error about the body, are everybody\'s', async t => {
  for (const status of [200, 400, 404]) {
    const { ask, at, upstream } = setUp()
    const all = [await ask({ ...greedy, stream: false }), await ask({ ...greedy, stream: false })]
    at(0).answer(status, '{"a":1}', { 'content-type': 'application/json' })
    at(0).end()
    at(0).release()
    await settle()
    t.equal(upstream.calls.length, 1)
    for (const { answer, text } of all) t.match({ status: answer?.status, text }, { status, text: '{"a":1}' })
  }
})

t.test('a cut stream is cut for all', async t => {
  const { ask, at } = setUp()
  const all = [await ask(), await ask()]
  at(0).answer(200, '', stream)
  at(0).send('a')
  at(0).end({ how: 'cut', reason: 'idle-timeout' })
  await settle()
  for (const { text, outcome } of all) {
    t.match(text, /^a\|CUT/)
    t.match(outcome, { how: 'cut', reason: 'idle-timeout' })
  }
})

t.test('a fault is the first one\'s alone: the others ask once more, together', async t => {
  for (const fail of [(held: HeldCall) => held.fail('gone'), (held: HeldCall) => { held.answer(500, '{}'); held.end(); held.release() }]) {
    const { ask, at, upstream } = setUp()
    const all = [await ask(), await ask(), await ask()]
    fail(at(0))
    await settle()
    t.equal(upstream.calls.length, 2)
    t.ok(all[0]?.error ?? all[0]?.answer?.status === 500)
    at(1).answer(200, '', stream)
    at(1).send('a')
    at(1).end()
    await settle()
    t.same(all.slice(1).map(({ text }) => text), ['a|END', 'a|END'])
    t.same(verdicts(all[1]!), ['single-flight pass: nobody asked the same'])
    t.match(all[2]?.call.decisions, [{ verdict: 'follow', follows: all[1]?.call.id }])
  }
})

t.test('a refusal is the first one\'s alone', async t => {
  let refusals = 1
  const inner: Policy = async (call, next) => refusals-- > 0 ? refusal({ status: 429, type: 'rate_limit_error', reason: 'deadline', message: 'no', retryAfterSeconds: 1 }) : next(call, 'yes')
  const { ask, upstream } = setUp({}, { inner: () => [{ name: 'inner', run: inner }] })
  const all = await Promise.all([ask(), ask(), ask()])
  await settle()
  t.equal(all[0]?.answer?.status, 429)
  t.equal(upstream.calls.length, 1)
  t.equal(all[1]?.answer, undefined)
})

t.test('the first one left and then it was refused: those who wait ask for themselves', async t => {
  const port2: { reject?: () => void } = {}
  const inner: Policy = async (call, next) => port2.reject === undefined
    ? await new Promise<Answer>(resolve => { port2.reject = () => { resolve(refusal({ status: 503, type: 'unavailable_error', reason: 'queue-timeout', message: 'no' })) } })
    : next(call, 'yes')
  const { ask, upstream } = setUp({}, { inner: () => [{ name: 'inner', run: inner }] })
  const [first, second] = [await ask(), await ask()]
  first.call.leave()
  await settle()
  port2.reject?.()
  await settle()
  t.equal(second.answer, undefined)
  t.equal(upstream.calls.length, 1)
})

t.test('what is drawn is not shared: who asks five times wants five draws', async t => {
  const { ask, upstream, policy } = setUp()
  for (let index = 0; index < 5; index++) await ask(drawn)
  t.equal(upstream.calls.length, 5)
  t.match(policy.gauges(), { led: 5, followed: 0 })
})

t.test('other bodies, routes, callers and forms are other calls', async t => {
  const { ask, upstream } = setUp()
  await ask()
  await ask({ ...greedy, max_tokens: 1 })
  await ask({ ...greedy, stream: false })
  await ask(greedy, { path: '/v1/completions' })
  await ask(greedy, { caller: 'b' })
  t.equal(upstream.calls.length, 5)
  const shared = setUp({ sharedAmong: 'all' })
  await shared.ask()
  await shared.ask(greedy, { caller: 'b' })
  t.equal(shared.upstream.calls.length, 1)
})

t.test('who wants a fresh answer, or whose body cannot be read, goes alone', async t => {
  const { ask, upstream, policy } = setUp()
  for (const headers of [{ 'cache-control': 'no-cache' }, { 'cache-control': 'no-store' }, { 'content-type': 'multipart/form-data' }]) {
    for (const turn of [1, 2]) {
      const { call } = await ask(greedy, { headers: new Map(Object.entries(headers)) })
      t.match(call.decisions, [{ verdict: 'pass', steps: [{}] }], String(turn))
    }
  }
  t.equal(upstream.calls.length, 6)
  t.match(policy.gauges(), { alone: 6, led: 0, flights: 0 })
})

t.test('while the model is unknown nothing is known to have but one answer', async t => {
  const { ask, upstream, port } = setUp()
  port.identity = undefined
  await ask()
  await ask()
  t.equal(upstream.calls.length, 2)
})

t.test('a more urgent call does not wait behind the place of a less urgent one', async t => {
  const saying = (headers: Record<string, string>): Partial<TestCall> => ({ headers: new Map(Object.entries(headers)) })
  const cases: ReadonlyArray<readonly [first: Record<string, string>, second: Record<string, string>, upstreamCalls: number]> = [
    [{}, { 'x-slo-ttft-ms': '500' }, 2],
    [{ 'x-slo-ttft-ms': '500' }, {}, 1],
    [{ 'x-slo-ttft-ms': '500' }, { 'x-slo-ttft-ms': '500' }, 1],
    [{ 'x-slo-ttft-ms': '500' }, { 'x-slo-ttft-ms': '100' }, 2],
    [{}, { 'x-weir-deadline-ms': '9000' }, 2],
    [{ 'x-weir-priority': '2' }, { 'x-weir-priority': '1' }, 2],
    [{ 'x-weir-priority': '1' }, { 'x-weir-priority': '2' }, 1]
  ]
  for (const [first, second, count] of cases) {
    const { ask, at, upstream } = setUp()
    await ask(greedy, saying(first))
    await ask(greedy, saying(second))
    t.equal(upstream.calls.length, count, JSON.stringify([first, second]))
    at(0).answer(200, '', stream)
    await settle()
    await ask(greedy, saying(second))
    t.equal(upstream.calls.length, count, 'an answer under way is quicker than any of its own')
  }
})
