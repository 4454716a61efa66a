import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { FakeOptions, FakeServer } from '../models/fake/fake-server.js'
import type { Policy } from '../policies/contract.js'
import { messageOf, post, registryOf, startTestGateway } from './testing.js'
import type { TestGateway, TestGatewayOptions } from './testing.js'

async function both (t: Test, fakeOptions: FakeOptions = {}, options: Partial<TestGatewayOptions> = {}): Promise<{ fake: FakeServer, gateway: TestGateway, chat: string }> {
  const fake = await startFakeServer(fakeOptions)
  const gateway = await startTestGateway({ upstream: fake.url, ...options })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  return { fake, gateway, chat: `${gateway.url}/v1/chat/completions` }
}

function hello (more: object = {}): object {
  return { messages: [{ role: 'user', content: 'hello there' }], max_tokens: 3, ...more }
}

t.test('policies run in the order of the configuration, first = outermost, and answers go back through them', async t => {
  const order: string[] = []
  const step = (name: string): Policy => async (call, next) => {
    order.push(name)
    const answer = await next(call, `through ${name}`)
    order.push(`after ${name}`)
    return answer
  }
  const registry = registryOf({ a: step('a'), b: step('b') })
  const { gateway, chat } = await both(t, {}, { registry, config: { policies: [{ name: 'b' }, { name: 'a' }] } })
  const answer = await post(chat, hello())
  t.same(order, ['b', 'a', 'after a', 'after b'])
  t.equal(answer.headers.get('x-weir-reason'), 'through a', 'the last decision')
  await gateway.recorded(1)
  t.same(gateway.records[0]?.decisions.map(({ policy, verdict }) => [policy, verdict]), [['b', 'pass'], ['a', 'pass']])
})

t.test('a policy may change the body, and a failing one is a 502 with the reason in the log only once', async t => {
  const registry = registryOf({
    short: (call, next) => next({ ...call, body: call.body.withJson({ ...call.body.json, max_tokens: 1 }) }, 'shortened'),
    broken: async () => { throw new Error('out of order') }
  })
  const changed = await both(t, {}, { registry, config: { policies: [{ name: 'short' }] } })
  await post(changed.chat, hello())
  await changed.gateway.recorded(1)
  t.equal(changed.gateway.records[0]?.outputTokens, 1)
  t.equal(changed.gateway.records[0]?.decisions[0]?.verdict, 'change')
  const failing = await both(t, {}, { registry, config: { policies: [{ name: 'broken' }] } })
  const answer = await post(failing.chat, hello())
  t.equal(answer.status, 502)
  t.equal(answer.headers.get('x-weir-reason'), 'fault')
  await failing.gateway.recorded(1)
  t.match(failing.gateway.records[0], { outcome: 'fault', status: 502 })
  t.equal(failing.fake.stats.completed, 0)
})

t.test('the record says what happened, when and why', async t => {
  const { gateway, chat } = await both(t, {}, { config: { policies: [{ name: 'prompt-cap' }, { name: 'admission' }] } })
  const answer = await post(chat, hello({ stream: true }))
  await gateway.recorded(1)
  const [record] = gateway.records
  t.match(record, {
    msg: 'call',
    caller: '127.0.0.1',
    route: 'generation',
    method: 'POST',
    path: '/v1/chat/completions',
    stream: true,
    status: 200,
    outcome: 'complete',
    queueWaitMs: 0,
    bytes: answer.bytes.length,
    outputTokens: 3,
    cachedTokens: 0,
    timings: { predicted_n: 3 },
    gauges: { places: 4 }
  })
  t.equal(record?.id, answer.headers.get('x-weir-id'))
  t.same(record?.decisions.map(({ policy }) => policy), ['prompt-cap', 'admission'])
  const times = [record?.arrivedAtMs, record?.admittedAtMs, record?.upstreamHeadersAtMs, record?.firstByteAtMs, record?.overAtMs, record?.releasedAtMs]
  t.ok(times.every(time => time !== undefined))
  t.same(times, [...times].sort((a, b) => Number(a) - Number(b)), 'in this order')
  t.match(answer.headers.get('server-timing'), /^queue;dur=\d+\.\d, upstream;dur=\d+\.\d$/)
  t.match(answer.headers.get('content-type'), /^text\/event-stream/)
})

t.test('metrics and status are derived from the records', async t => {
  const { gateway, chat } = await both(t, {}, { config: { policies: [{ name: 'admission' }] } })
  await post(chat, hello())
  await post(chat, '{')
  await gateway.recorded(2)
  const text = await (await fetch(`${gateway.url}/weir/metrics`)).text()
  for (const line of [
    'weir_calls_total{route="generation",status="200",outcome="complete"} 1',
    'weir_calls_total{route="generation",status="400",outcome="refused"} 1',
    'weir_request_duration_seconds_count{route="generation"} 1',
    'weir_queue_wait_seconds_count{route="generation"} 2',
    'weir_time_to_first_token_seconds_bucket{le="1800",route="generation"} 1',
    'weir_time_per_output_token_seconds_count{route="generation"} 1',
    'weir_policy_gauge{policy="admission",gauge="places"} 4',
    'weir_in_flight 0', 'weir_zombie_places 0', 'weir_upstream_ready 1'
  ]) t.ok(text.includes(`${line}\n`), line)
  t.match(text, /weir_decisions_total\{policy="admission",verdict="pass",reason="place free",mode="on"\} 1/)
  const status: unknown = await (await fetch(`${gateway.url}/weir/status`)).json()
  t.match(status, { draining: false, inFlight: 0, upstream: { state: 'ready', totalSlots: 4 }, policies: [{ name: 'admission' }], latency: { durationMs: { n: 1 } } })
})

t.test('bodies that are refused before llama-server sees them', async t => {
  const { fake, gateway, chat } = await both(t, {}, { config: { limits: { bodyBytes: 100_000 } } })
  const seen = fake.stats.received
  for (const [body, status, message] of [
    ['{"a', 400, /not JSON/], ['', 400, /no body/], ['[1]', 400, /must be a JSON object, got an array/], ['null', 400, /got null/],
    [`"${'x'.repeat(100_000)}"`, 413, /larger than 100000 bytes \(limits\.bodyBytes\)/]
  ] as const) {
    const answer = await post(chat, body)
    t.equal(answer.status, status)
    t.match(messageOf(answer), message)
    t.match(answer.headers.get('content-type'), /json/)
  }
  await gateway.recorded(5)
  t.same(gateway.records.map(({ reason }) => reason), ['bad-request', 'bad-request', 'bad-request', 'bad-request', 'body-too-large'])
  t.equal((await post(`${gateway.url}/tokenize`, `{"content":"${'x'.repeat(100_000)}"}`)).status, 413)
  t.equal(fake.stats.received, seen)
})

t.test('n: 1000 is refused with a clear message', async t => {
  const { chat } = await both(t, {}, { config: { policies: [{ name: 'prompt-cap' }, { name: 'admission' }] } })
  const answer = await post(chat, hello({ n: 1000 }))
  t.equal(answer.status, 400)
  t.ok(messageOf(answer).length > 20, messageOf(answer))
})

t.test('keys', async t => {
  const key = 'k-123'
  const { fake, gateway, chat } = await both(t, { apiKey: 'up' }, { apiKey: 'up', config: { apiKeys: [{ name: 'ann', sha256: createHash('sha256').update(key).digest('hex') }] } })
  for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: 'Basic k-123' }]) {
    const answer = await post(chat, hello(), headers)
    t.equal(answer.status, 401)
    t.match(messageOf(answer), /Authorization: Bearer/)
    t.equal(answer.headers.get('www-authenticate'), 'Bearer')
  }
  for (const path of ['/v1/models', '/weir/status', '/weir/metrics', '/props']) t.equal((await fetch(gateway.url + path)).status, 401, path)
  for (const path of ['/livez', '/readyz', '/health']) t.equal((await fetch(gateway.url + path)).status, 200, path)
  t.equal((await post(chat, hello(), { authorization: `Bearer ${key}` })).status, 200)
  t.equal((await post(chat, hello(), { 'x-api-key': key })).status, 200)
  await gateway.recorded(5)
  t.same(gateway.records.map(({ caller, reason = '' }) => `${caller} ${reason}`), ['127.0.0.1 no-key', '127.0.0.1 no-key', '127.0.0.1 no-key', 'ann ', 'ann '])
  t.ok(fake.stats.completed === 2)
})

t.test('pass-through, blocked routes, and the one poller', async t => {
  const { fake, gateway } = await both(t, {}, { pollIntervalMs: 600_000 })
  t.equal((await fetch(`${gateway.url}/props`)).status, 200)
  t.match(await (await post(`${gateway.url}/tokenize`, { content: 'a b' })).bytes.toString(), /"tokens":\[/)
  for (const path of ['/tools', '/tools/x', '/%74ools', '/cors-proxy?url=x', '//tools']) t.equal((await fetch(gateway.url + path)).status, 403, path)
  for (let i = 0; i < 5; i++) t.ok((await fetch(`${gateway.url}/health`)).ok)
  t.equal(fake.stats.byPath['/health'], 5)
  await fake.fail({ kind: 'loading' })
  t.equal((await fetch(`${gateway.url}/health`)).status, 503)
  t.equal(fake.stats.byPath['/health'], 6, 'a 503 is not asked for again (T6)')
  await fake.release()
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch(`${gateway.url}/metrics`)))
  t.ok(answers.every(({ status, headers }) => status === 200 && /^\d+$/.test(headers.get('age') ?? '')))
  t.equal(fake.stats.byPath['/metrics'], 1)
})

t.test('a dead upstream: the gateway answers 503, and serves when llama-server comes', async t => {
  const { fake, gateway, chat } = await both(t, {})
  await fake.fail({ kind: 'refuse' })
  const answer = await post(chat, hello())
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('x-weir-reason'), 'upstream-lost')
  t.ok(Number(answer.headers.get('retry-after')) >= 1)
  t.match(messageOf(answer), /cannot be reached \(ECONNREFUSED\); try again later/)
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 503)
  t.equal((await fetch(`${gateway.url}/v1/models`)).status, 503)
  t.equal((await fetch(`${gateway.url}/livez`)).status, 200)
  await fake.release()
  t.equal((await post(chat, hello())).status, 200)
  t.equal((await fetch(`${gateway.url}/readyz`)).status, 200)
  await fake.fail({ kind: 'loading' })
  const loading = await post(chat, hello())
  t.equal(loading.status, 503)
  t.match(loading.bytes.toString(), /Loading model/)
})

t.test('draining: running calls finish, waiting and new ones are refused, idle connections do not hold it up', async t => {
  const { fake, gateway, chat } = await both(t, { slots: 1, manual: true }, { config: { policies: [{ name: 'admission', maxWaitMs: 60_000 }] } })
  const idle = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  const running = post(chat, hello({ stream: true }))
  await fake.waitFor(({ running }) => running === 1)
  const waiting = post(chat, hello())
  while (Number(gateway.gateway.policyGauges()[0]?.gauges['queued']) !== 1) await new Promise(resolve => { setImmediate(resolve) })
  const kept = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  await once(kept, 'connect')
  kept.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\nPOST /completion HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{')
  await once(kept, 'data')
  const stopped = gateway.stop()
  const refused = await waiting
  t.equal(refused.status, 503)
  t.equal(refused.headers.get('x-weir-reason'), 'draining')
  kept.write('}')
  const [text] = await once(kept, 'data')
  t.match(String(text), /^HTTP\/1\.1 503 [\s\S]*x-weir-reason: draining/)
  const late = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  const [error] = await new Promise<Error[]>(resolve => { late.on('error', error => { resolve([error]) }) })
  t.equal(Reflect.get(Object(error), 'code'), 'ECONNREFUSED', 'new connections are not taken')
  await fake.release()
  const answer = await running
  t.notOk(answer.broken)
  t.match(answer.bytes.toString(), /data: \[DONE\]/)
  await stopped
  t.equal(gateway.records.length, 3)
  idle.destroy()
  kept.destroy()
})

t.test('draining ends after its time limit', async t => {
  const { gateway, chat } = await both(t, { manual: true }, { config: { limits: { drainTimeoutMs: 50 } } })
  const running = await fetch(chat, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(hello({ stream: true })) })
  await gateway.stop()
  await t.rejects(running.text(), 'it had its headers, and is cut')
  t.equal(gateway.records.length, 1)
})
