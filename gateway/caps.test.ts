import t from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import { TurnClock } from './testing-clock.js'
import { messageOf, post, startRawUpstream, startTestGateway } from './testing.js'

const messages = [{ role: 'user', content: 'hello there' }]

t.test('a stream that runs too long ends with an error event and a broken connection, and keeps its place until llama-server let go', async t => {
  const fake = await startFakeServer({ slots: 1, manual: true })
  const policies = [{ name: 'prompt-cap', maxOutputSeconds: 0.05 }, { name: 'admission', releaseTimeoutMs: 60_000 }]
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const gauges = (name: string): object => gateway.gateway.policyGauges().find(policy => policy.name === name)?.gauges ?? {}
  const stream = post(`${gateway.url}/v1/chat/completions`, { messages, max_tokens: 50, stream: true })
  await fake.waitFor(({ running }) => running === 1)
  t.ok(fake.step(), 'the first token, and then no more')
  const answer = await stream
  t.equal(answer.status, 200)
  t.ok(answer.broken)
  const why = 'the answer was not complete 0\\.05 s after its first byte \\(prompt-cap\\.maxOutputSeconds\\) and was ended; what came before is incomplete'
  t.match(answer.bytes.toString(), new RegExp(`^data: \\{"choices"[\\s\\S]*\\n\\ndata: \\{"error":\\{"code":504,"message":"${why}","type":"timeout_error","reason":"runaway"\\}\\}\\n\\n$`))
  await fake.waitFor(({ left }) => left === 1)
  t.match(gauges('admission'), { taken: 1 }, 'it still computes')
  await fake.release()
  await gateway.recorded(1)
  t.match(gateway.records[0], { outcome: 'cut', status: 200, reason: 'runaway' })
  t.match(gauges('admission'), { taken: 0 })
  t.match(gauges('prompt-cap'), { runaway: 1 })
  t.equal(fake.stats.cancelled, 1)
})

t.test('a stream has all the time it needs to its first byte; without a stream the time counts from sending', async t => {
  let bytes = ''
  const upstream = await startRawUpstream(socket => { if (bytes !== '') socket.write(bytes) })
  const gateway = await startTestGateway({
    upstream: upstream.url,
    releaseFallbackMs: 1,
    clock: new TurnClock(),
    config: { limits: { firstByteTimeoutMs: 200 }, policies: [{ name: 'prompt-cap', maxOutputSeconds: 60, perRoute: { '/completion': { maxOutputSeconds: 0.03 } } }] }
  })
  t.teardown(async () => { await gateway.stop(); await upstream.close() })
  const url = `${gateway.url}/completion`
  const stream = await post(url, { prompt: 'a', stream: true })
  t.same([stream.status, stream.headers.get('x-weir-reason')], [504, 'first-byte-timeout'])
  const whole = await post(url, { prompt: 'a' })
  t.same([whole.status, whole.headers.get('x-weir-reason'), whole.headers.get('x-should-retry')], [504, 'runaway', 'false'])
  t.match(messageOf(whole), /0\.03 s after the call was sent to llama-server \(prompt-cap\.perRoute\["\/completion"\]\.maxOutputSeconds\)/)
  const elsewhere = await post(`${gateway.url}/v1/completions`, { prompt: 'a' })
  t.equal(elsewhere.headers.get('x-weir-reason'), 'first-byte-timeout', 'another route, another limit')
  bytes = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n'
  const half = await post(url, { prompt: 'a' })
  t.ok(half.broken)
  t.equal(half.bytes.toString(), '{', 'nothing is added to an answer that is no stream')
  await gateway.recorded(4)
  t.same(gateway.records.map(({ outcome, status, reason }) => [outcome, status, reason]), [
    ['fault', 504, 'first-byte-timeout'], ['fault', 504, 'runaway'], ['fault', 504, 'first-byte-timeout'], ['cut', 200, 'runaway']
  ])
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { runaway: 2 })
})

t.test('a conversation that is too long loses its oldest turns, and the client is told', async t => {
  const fake = await startFakeServer({ slotContextTokens: 120 })
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies: [{ name: 'prompt-cap', whenTooLong: 'truncate', maxTokens: 4 }, { name: 'admission' }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const url = `${gateway.url}/v1/chat/completions`
  const turn = (n: number): object[] => [{ role: 'user', content: `question ${n} ${'w '.repeat(28)}` }, { role: 'assistant', content: 'yes' }]
  const long = { messages: [{ role: 'system', content: 'be kind' }, ...[1, 2, 3, 4, 5].flatMap(turn), { role: 'user', content: 'and now' }] }
  const answer = await post(url, long)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('x-weir-truncated'), 'turns=2')
  const sent = JSON.parse(String(fake.requests.findLast(({ path }) => path === '/v1/chat/completions')?.body)) as { readonly messages: ReadonlyArray<{ readonly content: string }> }
  t.same(sent.messages.map(({ content }) => content.split(' w')[0]), ['be kind', 'question 3', 'yes', 'question 4', 'yes', 'question 5', 'yes', 'and now'])
  await gateway.recorded(1)
  const [decision] = gateway.records[0]?.decisions ?? []
  t.match(decision, { verdict: 'change', reason: 'truncated, output bounded', facts: { droppedTurns: 2, promptTokens: gateway.records[0]?.promptTokens } }, 'counted as llama-server counts')

  const short = await post(url, { messages })
  t.equal(short.headers.get('x-weir-truncated'), null)
  const hopeless = await post(url, { messages: [{ role: 'user', content: 'old' }, { role: 'user', content: 'w '.repeat(200) }] })
  t.equal(hopeless.status, 400)
  t.match(messageOf(hopeless), /^The prompt has \d+ tokens without its oldest turn; at most 119 are allowed \(a slot's context of 120 less prompt-cap\.minOutputTokens\)\. Shorten it\.$/)
})

t.test('system prompts and tool items count on every API', async t => {
  const fake = await startFakeServer({})
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies: [{ name: 'prompt-cap', maxPromptTokens: 20 }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const long = 'w '.repeat(30)
  for (const [path, body, status] of [
    ['/v1/messages', { messages, max_tokens: 2 }, 200],
    ['/v1/messages', { messages, system: long, max_tokens: 2 }, 400],
    ['/v1/responses', { input: messages, max_output_tokens: 2 }, 200],
    ['/v1/responses', { input: messages, instructions: long, max_output_tokens: 2 }, 400]
  ] as const) t.equal((await post(gateway.url + path, body)).status, status, `${path} ${JSON.stringify(body).slice(0, 80)}`)
})
