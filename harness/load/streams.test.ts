import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startFakeServer } from '../../models/fake/fake-server.js'
import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import type { StreamsJob } from './job.js'
import { runLoad } from './spawn.js'
import { gapsOf } from './streamed-answer.js'
import { completionBody, runStreams, type StreamsOptions } from './streams.js'
import { EVENT_STREAM, startStubServer } from './stub-server.js'

const token = (content: string): string => `data: ${JSON.stringify({ content, stop: false })}\n\n`
const last = 'data: {"content":"","stop":true,"tokens_predicted":2,"tokens_evaluated":9,"timings":{"prompt_ms":1,"predicted_ms":2}}\n\n'

function reply (response: ServerResponse): void {
  response.writeHead(200, EVENT_STREAM)
  response.end(token(' a') + token(' b') + last)
}

interface Run { readonly samples: CallSample[], readonly stub: Awaited<ReturnType<typeof startStubServer>> }

async function run (t: Test, answer: (response: ServerResponse, index: number) => void, options: Partial<StreamsOptions> = {}): Promise<Run> {
  const stub = await startStubServer(answer)
  t.teardown(stub.close)
  const samples: CallSample[] = []
  await runStreams({
    target: { url: stub.url, apiKey: 'k' },
    phase: 'load',
    clients: 1,
    callsPerClient: 1,
    prompt: 'p',
    predictTokens: 2,
    pauseMs: 0,
    patienceMs: 60_000,
    signal: new AbortController().signal,
    onSend: () => {},
    onSample: sample => { samples.push(sample) },
    ...options
  })
  return { samples, stub }
}

t.test('with time left, clients go on after their calls', async t => {
  const fromMs = nowMs()
  const { samples } = await run(t, response => reply(response), { clients: 2, callsPerClient: 1, atLeastMs: 150 })
  t.ok(samples.filter(({ doneMs }) => doneMs >= fromMs + 150).length >= 2, 'both had a call that was over only then')
  t.same(samples.map(sample => sample.seq).sort((a, b) => a - b), Array.from(samples, (_, seq) => seq), 'each with a number of its own')
  t.ok(samples.every(({ outcome }) => outcome === 'answered'), 'none is cut')
})

t.test('each client makes its calls one after the other; all ask for the same fixed work', async t => {
  let [open, most] = [0, 0]
  const { samples, stub } = await run(t, response => {
    most = Math.max(most, ++open)
    setImmediate(() => { open--; reply(response) })
  }, { clients: 3, callsPerClient: 4 })
  t.ok(most <= 3)
  t.same(samples.map(sample => sample.seq).sort((a, b) => a - b), Array.from({ length: 12 }, (_, seq) => seq))
  t.ok(samples.every(sample => sample.outcome === 'answered' && sample.chunks === 2 && sample.itlMs.length === 1 && sample.outputTokens === 2 && sample.promptMs === 1))
  t.same(stub.requests.map(({ body }) => body), Array.from({ length: 12 }, () => JSON.parse(completionBody('p', 2)) as unknown))
  t.match(stub.requests[0]?.body, { n_predict: 2, ignore_eos: true, cache_prompt: false, stream: true })
  t.equal(stub.requests[0]?.headers.authorization, 'Bearer k')
})

t.test('a slot may reuse what it holds of the prompt, when told so', async t => {
  const { stub } = await run(t, response => reply(response), { cachePrompt: true })
  t.match(stub.requests, [{ body: { cache_prompt: true } }])
})

t.test('what ends in another way says how', async t => {
  const { samples } = await run(t, (response, index) => {
    if (index === 0) { response.writeHead(500, { 'content-type': 'application/json' }); response.end('{"error":{"type":"server_error"}}') }
    if (index === 1) { response.writeHead(200, EVENT_STREAM); response.end(token(' a')) }
    if (index === 2) { response.writeHead(200, EVENT_STREAM); response.write(token(' a'), () => response.destroy()) }
    if (index === 3) { response.writeHead(200, EVENT_STREAM); response.end(last) }
    if (index === 4) reply(response)
  }, { callsPerClient: 5 })
  t.same(samples.map(({ outcome, reason }) => `${outcome} ${reason ?? ''}`), ['failed http 500: server_error', 'failed cut: ended without its last event', 'failed cut: ECONNRESET', 'failed no content', 'answered '])
  t.equal(samples[2]?.chunks, 1, 'what came before the cut is kept')
})

t.test('nobody there, no patience, and a stop', async t => {
  const closed = await startStubServer(reply)
  await closed.close()
  const { samples: refused } = await run(t, reply, { target: { url: closed.url } })
  t.match(refused, [{ outcome: 'failed', reason: 'ECONNREFUSED' }])
  const { samples: impatient } = await run(t, () => {}, { patienceMs: 20 })
  t.match(impatient, [{ outcome: 'unanswered', reason: 'patience over' }])
  const stop = new AbortController()
  const { samples: stopped } = await run(t, (_response, index) => { if (index === 1) stop.abort() }, { clients: 2, callsPerClient: 9, signal: stop.signal })
  t.same(stopped.map(({ outcome, reason }) => `${outcome} ${reason}`), ['unanswered stopped', 'unanswered stopped'])
})

t.test('gaps have two decimals and their sums stay at the stamps', async t => {
  const stamps = Array.from({ length: 400 }, (_, i) => 1000.0001 + i * 10.00333)
  const gaps = gapsOf(stamps)
  t.equal(gaps.length, 399)
  t.ok(gaps.every(gap => Math.abs(gap * 100 - Math.round(gap * 100)) < 1e-6))
  let at = stamps[0] ?? 0
  for (const [i, gap] of gaps.entries()) {
    at += gap
    if (Math.abs(at - (stamps[i + 1] ?? 0)) > 0.0051) t.fail(`chunk ${i + 1} is off by ${at - (stamps[i + 1] ?? 0)} ms`)
  }
  t.same(gapsOf([]), [])
  t.same(gapsOf([5]), [])
})

t.test('as a process of its own, against the fake llama-server', async t => {
  const fake = await startFakeServer({ decodeMsPerToken: 1, apiKey: 'key' })
  t.teardown(() => fake.close())
  const outPath = join(t.testdir(), 'calls.ndjson')
  const job: StreamsJob = {
    phase: 'streams', target: { url: fake.url, apiKey: 'key' }, outPath, callPhase: 'load', clients: 2, callsPerClient: 2, promptWords: 5, promptSeed: 1, predictTokens: 20, patienceSeconds: 60
  }
  const summary = await runLoad(job)
  const samples = readFileSync(outPath, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
  t.match(summary, { phase: 'streams', sent: 4, intended: 4, answered: 4, stopped: false })
  t.ok(samples.every(sample => sample.phase === 'load' && sample.chunks === 20 && sample.outputTokens === 20 && sample.itlMs.length === 19))
  t.ok(samples.every(sample => sample.sentMs >= summary.fromMs && sample.doneMs <= summary.toMs))
  await t.rejects(runLoad({ ...job, clients: 0 }), /job.clients is 0/)
})

t.test('a client that pauses between its calls stops at once, with the call that it made', async t => {
  const stop = new AbortController()
  const outcomes: string[] = []
  const { stub } = await run(t, reply, { callsPerClient: 3, pauseMs: 3_600_000, signal: stop.signal, onSample: ({ outcome }) => { outcomes.push(outcome); setImmediate(() => stop.abort()) } })
  t.same(outcomes, ['answered'])
  t.equal(stub.requests.length, 1)
})
