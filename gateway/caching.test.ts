import t from 'tap'
import type { Test } from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import type { FakeOptions, FakeServer } from '../models/fake/fake-server.js'
import { TurnClock } from './testing-clock.js'
import { post, startTestGateway } from './testing.js'
import type { TestGateway } from './testing.js'

/** Response cache and single-flight over real connections: what no test on a held upstream sees. */

async function both (t: Test, policies: ReadonlyArray<object>, fakeOptions: FakeOptions = {}): Promise<{ fake: FakeServer, gateway: TestGateway, chat: string, asked: () => number }> {
  const fake = await startFakeServer(fakeOptions)
  const gateway = await startTestGateway({ upstream: fake.url, clock: new TurnClock(), config: { policies } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  return { fake, gateway, chat: `${gateway.url}/v1/chat/completions`, asked: () => fake.stats.byPath['/v1/chat/completions'] ?? 0 }
}

const all = [{ name: 'prompt-cap' }, { name: 'response-cache' }, { name: 'single-flight' }, { name: 'admission' }]
const hello = { messages: [{ role: 'user', content: 'hello there' }], max_tokens: 4, temperature: 0 }
const streamed = { ...hello, stream: true, stream_options: { include_usage: true } }

/** Without what each copy has of its own. */
const essence = (bytes: Buffer): string => bytes.toString().replace(/"id":"[^"]*"|"created":\d+/g, '')

t.test('a second call is answered from memory, whole or streamed: the same text under another id', async t => {
  const { gateway, chat, asked } = await both(t, all)
  for (const [index, body] of [hello, streamed].entries()) {
    const first = await post(chat, body)
    const second = await post(chat, body)
    t.same([first, second].map(({ headers }) => headers.get('x-weir-cache')), ['miss', 'hit'])
    t.match(second.headers.get('age'), /^\d+$/)
    t.equal(second.headers.get('content-type'), first.headers.get('content-type'))
    t.equal(essence(second.bytes), essence(first.bytes))
    t.not(second.bytes.toString(), first.bytes.toString())
    t.equal(asked(), index + 1)
  }
  await gateway.recorded(4)
  const [miss, hit] = gateway.records
  t.ok(miss?.timings && miss.admittedAtMs !== undefined)
  t.same(hit?.decisions.map(({ policy, verdict }) => `${policy} ${verdict}`), ['prompt-cap pass', 'response-cache serve'])
  t.match(hit, { status: 200, outcome: 'complete', timings: undefined, admittedAtMs: undefined })
  t.ok(hit && hit.firstByteAtMs !== undefined && hit.firstByteAtMs >= hit.arrivedAtMs)
  const metrics = await (await fetch(`${gateway.url}/weir/metrics`)).text()
  for (const [gauge, value] of [['hits', 2], ['misses', 2], ['stored', 2], ['entries', 2], ['evicted', 0]]) t.match(metrics, `weir_policy_gauge{policy="response-cache",gauge="${gauge}"} ${value}`)
  t.match(metrics, /weir_policy_gauge\{policy="response-cache",gauge="bytes"\} \d{4}/)
  t.match(metrics, 'weir_decisions_total{policy="response-cache",verdict="serve",reason="stored",mode="on"} 2')
})

t.test('what is drawn is asked each time, and says so', async t => {
  const { chat, asked } = await both(t, all)
  const { temperature: _, ...drawn } = hello
  for (const count of [1, 2]) {
    const { headers } = await post(chat, drawn)
    t.equal(headers.get('x-weir-cache'), 'bypass')
    t.equal(asked(), count)
  }
})

t.test('a stream that upstream cut is not given again', async t => {
  const { fake, chat, asked } = await both(t, all)
  await fake.fail({ kind: 'cut-mid-stream', afterEvents: 2 })
  const first = await post(chat, streamed)
  const second = await post(chat, streamed)
  t.ok(first.broken)
  t.equal(second.headers.get('x-weir-cache'), 'miss')
  t.equal(asked(), 2)
})

t.test('a change of what is served through the gateway: stored answers are of what was', async t => {
  const { gateway, chat, asked } = await both(t, all)
  await post(chat, hello)
  await (await fetch(`${gateway.url}/lora-adapters`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '[{"id":0,"scale":0.5}]' })).text()
  await gateway.recordedPasses(1)
  const second = await post(chat, hello)
  t.equal(second.headers.get('x-weir-cache'), 'miss')
  t.equal(asked(), 2)
  t.equal((await post(chat, hello)).headers.get('x-weir-cache'), 'hit')
  await (await fetch(`${gateway.url}/slots`)).text()
  await gateway.recordedPasses(2)
  t.equal((await post(chat, hello)).headers.get('x-weir-cache'), 'hit', 'reading changes nothing')
})

t.test('fifty identical streams at once are one call, with equal answers; those who leave disturb nobody', async t => {
  const { fake, gateway, chat, asked } = await both(t, all, { manual: true })
  const leave = new AbortController()
  const leaving = Array.from({ length: 10 }, () => post(chat, streamed, {}, leave.signal).catch((error: Error) => error.name))
  await fake.waitFor(({ byPath }) => (byPath['/v1/chat/completions'] ?? 0) === 1)
  const staying = Array.from({ length: 50 }, () => post(chat, streamed))
  for (;;) {
    const { policies } = await (await fetch(`${gateway.url}/weir/status`)).json() as { policies: Array<{ name: string, gauges: Record<string, number> }> }
    if (policies.find(({ name }) => name === 'single-flight')?.gauges['aboard'] === 60) break
    if (asked() > 1) throw new Error(`${asked()} calls went upstream`)
  }
  while (fake.stats.running === 0) await new Promise(resolve => setImmediate(resolve))
  fake.step()
  leave.abort()
  await gateway.recorded(10)
  await fake.release()
  const answers = await Promise.all(staying)
  t.equal(asked(), 1)
  t.equal(new Set(answers.map(({ bytes }) => bytes.toString())).size, 1)
  t.ok(answers.every(({ status, broken, bytes }) => status === 200 && !broken && bytes.toString().endsWith('data: [DONE]\n\n')))
  await gateway.recorded(60)
  t.equal(gateway.records.filter(({ outcome }) => outcome === 'left').length, 10)
  t.equal(gateway.records.filter(({ outcome }) => outcome === 'complete').length, 50)
  t.equal(gateway.records.filter(({ decisions }) => decisions.some(({ verdict, follows }) => verdict === 'follow' && follows !== undefined)).length >= 50, true)
  await Promise.all(leaving)
})

t.test('the last one that leaves ends it upstream', async t => {
  const { fake, chat } = await both(t, all, { manual: true })
  const leave = new AbortController()
  const calls = [1, 2, 3].map(() => post(chat, streamed, {}, leave.signal).catch(() => {}))
  await fake.waitFor(({ running }) => running === 1)
  leave.abort()
  await fake.waitFor(({ left }) => left === 1)
  await fake.release()
  await Promise.all(calls)
  await fake.waitFor(({ running }) => running === 0)
  t.equal(fake.stats.byPath['/v1/chat/completions'], 1)
})
