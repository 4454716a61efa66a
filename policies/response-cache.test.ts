import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { refusal } from './answers.js'
import { createChain } from './chain.js'
import type { Answer, Policy } from './contract.js'
import type { NamedPolicy } from './decide.js'
import { RelayBody } from './relay-body.js'
import { responseCache } from './response-cache.js'
import type { ResponseCacheOptions } from './response-cache-options.js'
import { heldUpstream, makeCall, makePort, settle, type HeldCall, type TestCall } from './testing.js'

const greedy = { messages: [{ role: 'user', content: 'hi' }], temperature: 0 }
const stream = { 'content-type': 'text/event-stream' }

function setUp (options: ResponseCacheOptions = {}, mode: 'on' | 'shadow' = 'on', inner: readonly NamedPolicy[] = []) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = responseCache.create(options, port)
  const chain = createChain([{ name: 'response-cache', run: policy.run, mode }, ...inner], upstream.handler, port.clock)
  async function ask (json: Record<string, unknown> = greedy, given: Partial<TestCall> = {}) {
    const call = makeCall({ arrivedAtMs: port.clock.nowMs(), ...given }, json)
    const asked: { call: TestCall, answer?: Answer, error?: unknown } = { call }
    chain(call).then(answer => { asked.answer = answer }, error => { asked.error = error })
    await settle()
    return asked
  }
  const at = (index: number): HeldCall => upstream.calls[index] ?? t.fail(`call ${index} did not reach upstream`) as never
  return { port, upstream, policy, ask, at, cached: (answer: Answer | undefined) => answer?.headers['x-weir-cache'] }
}

async function textOf (answer: Answer | undefined): Promise<string> {
  const { body } = answer ?? {}
  if (body instanceof RelayBody) return body.takeWhole()?.toString() ?? 'not whole'
  return body instanceof Readable ? 'a stream' : body?.toString() ?? 'no answer'
}

t.test('a whole answer is given again, with its age', async t => {
  const { ask, at, upstream, port, policy, cached } = setUp()
  const first = await ask()
  at(0).answer(200, '{"created":100,"id":"chatcmpl-abc"}', { 'content-type': 'application/json', 'content-length': '35', date: 'x' })
  at(0).end({ timings: { prompt_n: 1, prompt_ms: 1, predicted_n: 1, predicted_ms: 1 } })
  await settle()
  t.equal(cached(first.answer), 'miss')
  await port.clock.advance(61_900)
  const second = await ask()
  t.equal(upstream.calls.length, 1)
  t.match(second.answer?.headers, { 'content-type': 'application/json', age: '61', 'x-weir-cache': 'hit' })
  t.notOk(second.answer?.headers['date'] ?? second.answer?.headers['content-length'])
  t.match(await textOf(second.answer), /^\{"created":162,"id":"chatcmpl-[0-9a-f]{3}"\}$/)
  t.match(second.call.decisions, [{ policy: 'response-cache', verdict: 'serve', reason: 'stored', facts: { ageMs: 61_900, bytes: 35 } }])
  t.match(await second.answer?.over, { how: 'complete', bytes: 35, firstByteAtMs: port.clock.nowMs() })
  t.equal((await second.answer?.over)?.timings, undefined, 'nothing was generated: no speed is learned from it')
  t.match(policy.gauges(), { hits: 1, misses: 1, stored: 1, entries: 1, hitBytes: 35 })
})

t.test('a stream is given again as a stream, and an answer in one form never in the other', async t => {
  const { ask, at, upstream, cached } = setUp()
  const json = { ...greedy, stream: true }
  const first = await ask(json)
  at(0).answer(200, '', stream)
  at(0).send('data: {"id":"chatcmpl-abc","a":1}\n\n')
  at(0).send('data: [DONE]\n\n')
  at(0).end()
  await settle()
  t.equal(await textOf(first.answer), 'data: {"id":"chatcmpl-abc","a":1}\n\ndata: [DONE]\n\n', 'what passes is untouched')
  const second = await ask(json)
  t.equal(cached(second.answer), 'hit')
  t.equal(second.answer?.headers['content-type'], 'text/event-stream')
  t.match(await textOf(second.answer), /^data: \{"id":"chatcmpl-[0-9a-f]{3}","a":1\}\n\ndata: \[DONE\]\n\n$/)
  for (const other of [greedy, { ...json, stream_options: { include_usage: true } }, { ...json, timings_per_token: true }]) {
    const { answer } = await ask(other)
    t.equal(answer, undefined)
  }
  t.equal(upstream.calls.length, 4)
})

t.test('only complete 200s are kept', async t => {
  const endings: ReadonlyArray<readonly [what: string, finish: (held: HeldCall) => void]> = [
    ['a cut stream', held => { held.answer(200, '', stream); held.send('data: 1\n\n'); held.end({ how: 'cut' }) }],
    ['a client that left', held => { held.answer(200, '', stream); held.send('data: 1\n\n'); held.end({ how: 'left' }) }],
    ['fewer bytes than upstream sent', held => { held.answer(200, '', stream); held.send('data: 1\n\n'); held.end({ bytes: 99 }) }],
    ['an error of the caller', held => { held.answer(400, '{"error":{}}'); held.end() }],
    ['an error of upstream', held => { held.answer(500, '{"error":{}}'); held.end() }],
    ['no content', held => { held.answer(204, '{}'); held.end() }],
    ['a broken whole', held => { held.answer(200, '{}'); held.end({ how: 'fault' }) }],
    ['a throw', held => { held.fail('gone') }],
    ['a cookie', held => { held.answer(200, '{}', { 'set-cookie': 'a' }); held.end() }],
    ['compressed', held => { held.answer(200, '{}', { 'content-encoding': 'gzip' }); held.end() }],
    ['not to be stored', held => { held.answer(200, '{}', { 'cache-control': 'private, no-store' }); held.end() }],
    ['too long', held => { held.answer(200, '', stream); held.send('x'.repeat(60_000)); held.send('x'.repeat(60_000)); held.end() }],
    ['too long, whole', held => { held.answer(200, 'x'.repeat(100_001)); held.end() }]
  ]
  for (const [what, finish] of endings) {
    const { ask, at, upstream, policy } = setUp({ maxAnswerBytes: 100_000 })
    await ask({ ...greedy, stream: true })
    finish(at(0))
    await settle()
    await ask({ ...greedy, stream: true })
    t.equal(upstream.calls.length, 2, what)
    t.match(policy.gauges(), { hits: 0, entries: 0 }, what)
  }
})

t.test('an answer that ended at its bound of tokens is complete', async t => {
  const { ask, at, cached } = setUp()
  await ask()
  at(0).answer(200, '{"choices":[{"finish_reason":"length"}]}')
  at(0).end()
  await settle()
  t.equal(cached((await ask()).answer), 'hit')
})

t.test('a refusal of a policy further in is not kept', async t => {
  let refused = 0
  const inner: Policy = async () => { refused++; return { ...refusal({ status: 429, type: 'rate_limit_error', reason: 'no', message: 'no' }), status: 200 } }
  const { ask } = setUp({}, 'on', [{ name: 'inner', run: inner }])
  await ask()
  await ask()
  t.equal(refused, 2)
})

t.test('who may have it', async t => {
  for (const [sharedAmong, calls] of [['caller', 2], ['all', 1]] as const) {
    const { ask, at, upstream } = setUp({ sharedAmong })
    await ask(greedy, { caller: 'a' })
    at(0).answer(200, '{}')
    at(0).end()
    await settle()
    await ask(greedy, { caller: 'b' })
    t.equal(upstream.calls.length, calls, sharedAmong)
    await ask(greedy, { caller: 'a' })
    t.equal(upstream.calls.length, calls, 'the one who asked gets it')
  }
})

t.test('route and query are in the key', async t => {
  const { ask, at, upstream } = setUp()
  await ask()
  at(0).answer(200, '{}')
  at(0).end()
  await settle()
  for (const path of ['/v1/completions', '/chat/completions', '/v1/chat/completions?a=1']) await ask(greedy, { path })
  t.equal(upstream.calls.length, 4)
})

t.test('what has more than one answer, or cannot be read, passes', async t => {
  const broken = Buffer.from('{"temperature":0,"prompt":"?"}')
  broken[28] = 0xff
  const cases: ReadonlyArray<readonly [reason: string, json: Record<string, unknown>, given: Partial<TestCall>]> = [
    ['not deterministic', { messages: [] }, {}],
    ['media elsewhere', { ...greedy, messages: [{ content: [{ type: 'image_url', image_url: { url: 'http://x/y' } }] }] }, {}],
    ['body not readable', greedy, { headers: new Map([['content-type', 'multipart/form-data; boundary=x']]) }],
    ['body not readable', greedy, { body: { bytes: broken, json: greedy, withJson: () => t.fail() as never } }],
    ['no-store asked for', greedy, { headers: new Map([['cache-control', 'no-store']]) }]
  ]
  for (const [reason, json, given] of cases) {
    const { ask, at, upstream, policy, cached } = setUp()
    for (const index of [0, 1]) {
      const { call } = await ask(json, given)
      t.match(call.decisions, [{ verdict: 'pass', reason }])
      at(index).complete()
    }
    await settle()
    t.equal(upstream.calls.length, 2, reason)
    t.equal(cached((await ask(json, given)).answer), undefined, 'no answer yet')
    t.match(policy.gauges(), { bypassed: 3, entries: 0 })
  }
})

t.test('no-cache wants a fresh one, which then is the stored one; max-age sets its own bound', async t => {
  const { ask, at, port, cached, upstream } = setUp()
  const saying = (value: string): Partial<TestCall> => ({ headers: new Map([['cache-control', value]]) })
  await ask()
  at(0).answer(200, 'old')
  at(0).end()
  await port.clock.advance(10_000)
  const fresh = await ask(greedy, saying('no-cache'))
  at(1).answer(200, 'new')
  at(1).end()
  await settle()
  t.equal(cached(fresh.answer), 'bypass')
  t.equal(await textOf((await ask()).answer), 'new')
  await port.clock.advance(10_000)
  t.equal(cached((await ask(greedy, saying('max-age=10'))).answer), 'hit')
  await ask(greedy, saying('max-age=9'))
  t.equal(upstream.calls.length, 3)
})

t.test('the model is part of it', async t => {
  t.test('another one flushes all', async t => {
    const { ask, at, port, policy, upstream } = setUp()
    await ask()
    at(0).answer(200, '{}')
    at(0).end()
    await port.clock.advance(2_001)
    port.identity = 'other'
    await ask()
    t.equal(upstream.calls.length, 2)
    t.match(policy.gauges(), { flushed: 1, entries: 0 })
    await port.clock.advance(2_001)
    port.identity = 'model'
    await ask()
    t.equal(upstream.calls.length, 3, 'and they do not come back with it')
  })
  t.test('one that was exchanged while a call waited for its turn: what it said is not the first one\'s', async t => {
    const { ask, at, port, upstream } = setUp()
    await ask()
    port.identity = 'other'
    await port.clock.advance(100)
    at(0).answer(200, '{}')
    at(0).end()
    await settle()
    await ask()
    t.equal(upstream.calls.length, 2, 'the reading from before the answer is too old to give it')
  })
  t.test('away: nothing is served or kept until it says that it is the same', async t => {
    const { ask, at, port, policy, upstream, cached } = setUp()
    await ask()
    at(0).answer(200, '{}')
    at(0).end()
    await port.clock.advance(2_001)
    port.identity = undefined
    const { call } = await ask()
    t.match(call.decisions, [{ reason: 'model unknown' }])
    t.equal(upstream.calls.length, 2)
    port.identity = 'model'
    t.equal(cached((await ask()).answer), 'hit')
    t.match(policy.gauges(), { flushed: 0 })
  })
  t.test('it is asked once in two seconds', async t => {
    const { ask, at, port } = setUp()
    await ask()
    await port.clock.advance(100)
    at(0).answer(200, '{}')
    at(0).end()
    await settle()
    for (let index = 0; index < 20; index++) {
      await ask()
      await port.clock.advance(100)
    }
    t.equal(port.servedAsked, 2)
  })
})

t.test('too old', async t => {
  const { ask, at, port, policy, upstream } = setUp({ ttlSeconds: 60 })
  await ask()
  at(0).answer(200, '{}')
  at(0).end()
  await port.clock.advance(60_001)
  await ask()
  t.equal(upstream.calls.length, 2)
  t.match(policy.gauges(), { expired: 1 })
})

t.test('a body of another kind of stream is kept, too', async t => {
  const body = new PassThrough()
  const bytes = 'data: 1\n\n'
  let asked = 0
  const inner: Policy = async () => {
    asked++
    return { status: 200, headers: stream, body, over: Promise.resolve({ how: 'complete', bytes: bytes.length }), released: Promise.resolve() }
  }
  const { ask, cached } = setUp({}, 'on', [{ name: 'inner', run: inner }])
  const { answer } = await ask()
  body.end(bytes)
  await settle()
  t.equal(await textOf(answer), bytes)
  const second = await ask()
  t.equal(cached(second.answer), 'hit')
  t.equal(asked, 1)
})

t.test('a client that leaves while the model is asked for', async t => {
  const { ask, upstream } = setUp()
  const asked = ask()
  const { call, error } = await asked.then(result => result)
  call.leave()
  t.equal(error, undefined)
  const gone = makeCall({}, greedy)
  gone.leave()
  const other = setUp()
  await t.rejects(createChain([{ name: 'p', run: other.policy.run }], other.upstream.handler, other.port.clock)(gone), { message: 'client left' })
  t.equal(other.upstream.calls.length, 0)
  t.equal(upstream.calls.length, 1)
})

t.test('in the shadow: all go upstream, and the record says what a hit would have been', async t => {
  const { ask, at, upstream } = setUp({}, 'shadow')
  const first = await ask({ ...greedy, stream: true })
  at(0).answer(200, '', stream)
  at(0).send('data: 1\n\n')
  at(0).end()
  await settle()
  t.match(first.call.decisions, [{ mode: 'shadow', verdict: 'pass', reason: 'not stored' }])
  t.equal(first.answer?.headers['x-weir-cache'], undefined)
  const second = await ask({ ...greedy, stream: true })
  t.equal(upstream.calls.length, 2)
  t.match(second.call.decisions, [{ mode: 'shadow', verdict: 'serve', reason: 'stored' }])
})
