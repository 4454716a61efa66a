import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { FakeOptions } from '../models/fake/fake-server.js'
import { readinessOf } from './readiness.js'
import type { Condition } from './readiness.js'
import { TurnClock } from './testing-clock.js'
import { post, startTestGateway } from './testing.js'
import type { Posted, TestGateway } from './testing.js'

const well: Condition = { upstreamUrl: 'http://up', draining: false, drainSeconds: 7, backend: 'ready', sleeping: false, awaySeconds: 3, stalledMs: undefined, saturated: false, nextPlaceMs: 2_500 }

t.test('each trouble has its reason and says when to come again; the longest one first', async t => {
  const cases: ReadonlyArray<readonly [Partial<Condition>, object]> = [
    [{}, { status: 'ok' }],
    [{ sleeping: true }, { status: 'sleeping' }],
    [{ saturated: true, sleeping: true }, { status: 503, reason: 'saturated', retryAfterSeconds: 2.5 }],
    [{ saturated: true, nextPlaceMs: 0 }, { status: 503, reason: 'saturated', retryAfterSeconds: 1 }],
    [{ saturated: true, nextPlaceMs: 90_000 }, { status: 503, reason: 'saturated', retryAfterSeconds: 30 }],
    [{ saturated: true, stalledMs: 61_000 }, { status: 503, reason: 'stalled', message: /no progress for 61 s/ }],
    [{ stalledMs: 61_000, backend: 'loading' }, { status: 503, reason: 'loading', retryAfterSeconds: 3 }],
    [{ backend: 'lost' }, { status: 503, reason: 'upstream-lost', message: /http:\/\/up/, retryAfterSeconds: 3 }],
    [{ backend: 'lost', draining: true, saturated: true }, { status: 503, reason: 'draining', retryAfterSeconds: 7 }]
  ]
  for (const [more, expected] of cases) t.match(readinessOf({ ...well, ...more }), expected, JSON.stringify(more))
})

async function ready (gateway: TestGateway): Promise<string> {
  const answer = await fetch(`${gateway.url}/readyz`)
  const body = await answer.json() as { status?: string, error?: { message: string } }
  return `${answer.status} ${body.status ?? answer.headers.get('x-weir-reason')}${answer.headers.has('retry-after') ? ', retry' : ''}`
}

async function both (t: Test, options: FakeOptions, config: Readonly<Record<string, unknown>>) {
  const fake = await startFakeServer(options)
  const gateway = await startTestGateway({ upstream: fake.url, clock: new TurnClock(), config })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const call = (): Promise<Posted> => post(`${gateway.url}/v1/chat/completions`, { messages: [{ role: 'user', content: 'hello' }], stream: true })
  return { fake, gateway, call }
}

t.test('saturated: the next call would be refused; not any more when a place is free', async t => {
  const { fake, gateway, call } = await both(t, { slots: 2, manual: true }, { policies: [{ name: 'admission', maxQueued: 0 }] })
  t.equal(await ready(gateway), '200 ok')
  const running = [call(), call()]
  await fake.waitFor(({ running }) => running === 2)
  t.equal(await ready(gateway), '503 saturated, retry')
  t.equal((await call()).status, 429)
  t.equal(Reflect.get(await (await fetch(`${gateway.url}/weir/status`)).json() as object, 'ready'), 'saturated')
  t.match(await (await fetch(`${gateway.url}/weir/status`, { headers: { accept: 'text/html,*/*' } })).text(), /<span class="trouble">saturated</)
  fake.release()
  for (const answer of await Promise.all(running)) t.equal(answer.status, 200)
  await gateway.recorded(3)
  t.equal(await ready(gateway), '200 ok')
})

t.test('stalled: calls run and nothing moves; ready again with the next batch', async t => {
  const { fake, gateway, call } = await both(t, {}, { policies: [{ name: 'admission' }], limits: { stallTimeoutMs: 1_000 } })
  await fake.fail({ kind: 'wedge' })
  const running = call()
  while (gateway.gateway.calls.inFlight === 0) await turn()
  t.equal(await ready(gateway), '200 ok', 'it may be a long prompt')
  while (await ready(gateway) === '200 ok') await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(await ready(gateway), '503 stalled, retry')
  t.match(gateway.warnings.join(), /shows no progress/)
  fake.release()
  t.equal((await running).status, 200)
  t.equal(await ready(gateway), '200 ok')
})

t.test('sleeping: ready all the same, and it is not woken by the question', async t => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json')
    response.end(request.url === '/props' ? '{"total_slots":1,"model_path":"m","is_sleeping":true}' : '{"status":"ok"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const gateway = await startTestGateway({ upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  t.teardown(async () => { await gateway.stop(); server.close() })
  t.equal(await ready(gateway), '200 sleeping')
  t.same([...new Set(asked)].sort(), ['/health', '/props'])
})
