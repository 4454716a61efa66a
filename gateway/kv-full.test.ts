import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { FakeServer } from '../models/fake/fake-server.js'
import { retryAfterKvFullMs, saysKvFull } from './kv-full.js'
import { messageOf, post, startRawUpstream, startTestGateway } from './testing.js'
import type { TestGateway } from './testing.js'

async function both (t: Test, manual = false): Promise<{ fake: FakeServer, gateway: TestGateway }> {
  const fake = await startFakeServer({ manual })
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies: [{ name: 'admission' }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  return { fake, gateway }
}

const messages = [{ role: 'user', content: 'hello there' }]
const callOf: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { messages },
  '/completion': { prompt: 'a b' },
  '/v1/completions': { prompt: 'a b' },
  '/v1/messages': { messages, max_tokens: 3 },
  '/v1/responses': { input: messages }
}

t.test('a full KV pool is a 503 with Retry-After and a reason, on every generation route, streamed or not', async t => {
  const { fake, gateway } = await both(t)
  const cases = Object.entries(callOf).flatMap(([path, body]) => [false, true].map(stream => ({ path, body: { ...body, stream } })))
  for (const { path, body } of cases) {
    await fake.fail({ kind: 'kv-full' })
    const answer = await post(gateway.url + path, body)
    t.equal(answer.status, 503, `${path} ${JSON.stringify(body)}`)
    t.equal(answer.headers.get('x-weir-reason'), 'kv-full')
    t.match(answer.headers.get('retry-after'), /^[1-9]\d?$/, 'as long as it had lasted, which is for the machine to say')
    t.match(answer.headers.get('content-type'), /^application\/json/)
    t.match(JSON.parse(answer.bytes.toString()), { error: { code: 503, type: path === '/v1/messages' ? 'overloaded_error' : 'unavailable_error', message: String } })
  }
  await gateway.recorded(cases.length)
  for (const record of gateway.records) t.match(record, { status: 503, reason: 'kv-full', outcome: 'fault', bytes: Number, decisions: [{ policy: 'admission', verdict: 'pass' }] })
  const metrics = await (await fetch(`${gateway.url}/weir/metrics`)).text()
  t.match(metrics, `weir_calls_total{route="generation",status="503",outcome="fault"} ${cases.length}\n`)
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { taken: 0, queued: 0 }, 'the place was given back')
})

t.test('all calls that run are told so; a stream that has its headers ends as llama-server ends it', async t => {
  const { fake, gateway } = await both(t, true)
  const chat = `${gateway.url}/v1/chat/completions`
  const stream = post(chat, { messages, stream: true })
  await fake.waitFor(({ running }) => running === 1)
  const whole = post(chat, { messages })
  await fake.waitFor(({ running }) => running === 2)
  await fake.fail({ kind: 'kv-full' })
  const third = post(chat, { messages })
  t.same((await Promise.all([whole, third])).map(({ status }) => status), [503, 503])
  const streamed = await stream
  t.equal(streamed.status, 200)
  t.equal(streamed.bytes.toString(), 'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n')
})

t.test('any other 500 is passed on as it is: another message, a long body, one without a length', async t => {
  const full = '{"error":{"message":"Context size has been exceeded."}}'
  const texts = [
    ['{"error":{"code":500,"message":"Compute error.","type":"server_error"}}', true],
    [full + ' '.repeat(100_000), true],
    [full, false]
  ] as const
  let now: readonly [string, boolean] = texts[0]
  const upstream = await startRawUpstream(socket => {
    const [text, withLength] = now
    socket.write(`HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json\r\n${withLength ? `content-length: ${text.length}` : 'connection: close'}\r\n\r\n${text}`)
    if (!withLength) socket.end()
  })
  const gateway = await startTestGateway({ upstream: upstream.url, releaseFallbackMs: 1 })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  for (now of texts) {
    const answer = await post(`${gateway.url}/completion`, { prompt: 'a' })
    t.equal(answer.status, 500)
    t.equal(answer.bytes.toString(), now[0])
    t.equal(answer.headers.get('x-weir-reason'), null)
  }
  await gateway.recorded(texts.length)
  t.ok(gateway.records.every(({ outcome, status }) => outcome === 'complete' && status === 500))
  t.match(messageOf(await post(`${gateway.url}/completion`, { prompt: 'a' })), /exceeded/)
})

t.test('Retry-After: as long as the call had lasted, or the predicted wait, from 1 to 30 s', async t => {
  t.equal(retryAfterKvFullMs(10), 1_000)
  t.equal(retryAfterKvFullMs(4_200, 3_000), 4_200)
  t.equal(retryAfterKvFullMs(4_200, 9_000), 9_000)
  t.equal(retryAfterKvFullMs(100_000), 30_000)
})

t.test('only the message of an error says it, not a text that speaks of it', async t => {
  t.ok(saysKvFull('{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}'))
  t.ok(saysKvFull('event: error\ndata: {"code":500,"message":"Context size has been exceeded.","type":"server_error"}'))
  t.notOk(saysKvFull('{"error":{"code":400,"message":"request (300 tokens) exceeds the available context size (256 tokens), try increasing it"}}'))
  t.notOk(saysKvFull('{"content":"it said \\"message\\":\\"Context size has been exceeded.\\""}'))
  t.notOk(saysKvFull(''))
})
