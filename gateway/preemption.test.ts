import t from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import { post, startTestGateway } from './testing.js'

const config = { policies: [{ name: 'admission', preemptiblePrefill: { chunkMs: 400, share: 1 } }] }
const long = { messages: [{ role: 'user', content: 'word '.repeat(400) }], max_tokens: 4, ignore_eos: true, stream: true }

t.test('a long chat prompt reaches llama-server in chunks, and its own call finds all of them in the cache', async t => {
  const fake = await startFakeServer({ slots: 4 })
  const gateway = await startTestGateway({ upstream: fake.url, config })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const through = await post(`${gateway.url}/v1/chat/completions`, long)
  t.equal(through.status, 200)
  t.match(through.bytes.toString(), /data: \[DONE\]\n\n$/)
  await gateway.recorded(1)
  const [record] = gateway.records
  const [decision] = record?.decisions ?? []
  const { chunks = 0, fedTokens = 0 } = decision?.facts ?? {}
  t.ok(chunks >= 5, `${chunks} chunks`)
  t.equal(decision?.steps.length, chunks + 1)
  t.equal(record?.timings?.cache_n, fedTokens)
  t.equal(record?.promptTokens, fedTokens + (record?.timings?.prompt_n ?? NaN))
  const [first, second] = decision?.steps.map(({ atMs }) => atMs) ?? []
  const { admittedAtMs = NaN } = record ?? {}
  t.ok(admittedAtMs >= (first ?? NaN) && admittedAtMs <= (second ?? NaN), 'its way to upstream begins with its first chunk')
  t.ok((record?.firstByteAtMs ?? NaN) >= (decision?.steps.at(-1)?.atMs ?? NaN), 'and its first byte is its own')
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { taken: 0, feeding: 0, chunks, prefillOff: 0 })
  t.match(await (await fetch(`${gateway.url}/weir/metrics`)).text(), /weir_policy_gauge\{policy="admission",gauge="prefillOff"\} 0/)
})

t.test('in front of a server that keeps no prompts it switches itself off, and says so', async t => {
  const fake = await startFakeServer({ slots: 4, promptCache: false })
  const gateway = await startTestGateway({ upstream: fake.url, config })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  for (let call = 0; call < 3; call++) t.match((await post(`${gateway.url}/v1/chat/completions`, long)).bytes.toString(), /\[DONE\]\n\n$/)
  await gateway.recorded(3)
  t.same(gateway.records.map(({ decisions }) => decisions[0]?.steps.at(-1)?.reason), ['whole prompt: not in the cache', 'whole prompt: not in the cache', 'place free, whole prompt: switched off'])
  t.match(gateway.warnings, [/does not find the chunks/])
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { prefillOff: 1, missedCalls: 2 })
})

t.test('who leaves while a chunk is evaluated leaves no zombie: the place is free when the chunk is over', async t => {
  const fake = await startFakeServer({ slots: 2, prefillMsPerToken: 1 })
  const gateway = await startTestGateway({ upstream: fake.url, config })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const leave = new AbortController()
  const answer = fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', signal: leave.signal, headers: { 'content-type': 'application/json' }, body: JSON.stringify(long) })
  await fake.waitFor(({ running }) => running === 1)
  leave.abort()
  await t.rejects(answer)
  await gateway.recorded(1)
  t.match(gateway.records, [{ status: 499, outcome: 'left', decisions: [{ verdict: 'leave' }] }])
  const [{ firstByteAtMs, leftAtMs = Infinity, admittedAtMs = Infinity, releasedAtMs = 0 } = {}] = gateway.records
  t.equal(firstByteAtMs, undefined, 'what a chunk answered is not the call’s')
  t.ok(admittedAtMs < leftAtMs && leftAtMs < releasedAtMs, 'it left in the middle of a chunk, and the place was free after it')
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { taken: 0, feeding: 0, unconfirmedReleases: 0 })
  t.equal(gateway.gateway.releases.zombiePlaces, 0)
  t.equal(gateway.gateway.releases.wastedSeconds, 0)
})
