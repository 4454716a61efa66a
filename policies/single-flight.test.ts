import t from 'tap'
import { admission } from './admission.js'
import { refusal } from './answers.js'
import { createChain } from './chain.js'
import type { Answer, Outcome, Policy } from './contract.js'
import type { NamedPolicy } from './decide.js'
import { RelayBody } from './relay-body.js'
import { responseCache } from './response-cache.js'
import { singleFlight } from './single-flight.js'
import type { SingleFlightOptions } from './single-flight-options.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall, type TestCall } from './testing.js'

const greedy = { messages: [{ role: 'user', content: 'hi' }], temperature: 0, stream: true }
const drawn = { messages: [{ role: 'user', content: 'hi' }], stream: true }
const stream = { 'content-type': 'text/event-stream' }

interface Asked {
  readonly call: TestCall
  answer?: Answer
  error?: unknown
  outcome?: Outcome
  /** What its client got of the body so far. */
  text: string
  room: boolean
  released: boolean
}

function setUp (options: SingleFlightOptions = {}, how: { mode?: 'on' | 'shadow', inner?: (port: ReturnType<typeof makePort>) => readonly NamedPolicy[], outer?: (port: ReturnType<typeof makePort>) => readonly NamedPolicy[] } = {}) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = singleFlight.create(options, port)
  const chain = createChain([...how.outer?.(port) ?? [], { name: 'single-flight', run: policy.run, mode: how.mode ?? 'on' }, ...how.inner?.(port) ?? []], upstream.handler, port.clock)
  async function ask (json: Record<string, unknown> = greedy, given: Partial<TestCall> = {}): Promise<Asked> {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), ...given }, json)
    const asked: Asked = { call, text: '', room: true, released: false }
    chain(call).then(answer => { receive(asked, answer) }, error => { asked.error = error })
    await settle()
    return asked
  }
  const at = (index: number): HeldCall => upstream.calls[index] ?? t.fail(`call ${index} did not reach upstream`) as never
  return { port, upstream, policy, ask, at }
}

/** As the gateway's writer does. */
function receive (asked: Asked, answer: Answer): void {
  asked.answer = answer
  answer.over.then(outcome => { asked.outcome = outcome })
  answer.released.then(() => { asked.released = true })
  const { body } = answer
  if (!(body instanceof RelayBody)) {
    asked.text = body.toString()
    return
  }
  body.relayTo({
    write (chunk) { asked.text += chunk.toString(); return asked.room },
    end () { asked.text += '|END' },
    cut (error) { asked.text += `|CUT ${error.message}` }
  })
}

const verdicts = (asked: Asked): string[] => asked.call.decisions.map(({ policy, verdict, reason }) => `${policy} ${verdict}: ${reason}`)

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
