import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import { parseJob, type LoadJob } from './job.js'
import { rehearse } from './rehearse.js'
import { runLoad } from './spawn.js'
import { EVENT_STREAM, startStubServer, wholeAnswer } from './stub-server.js'

const classes = [
  { name: 'short', promptWords: 4, maxTokens: 2, share: 3 },
  { name: 'long', promptWords: 9, maxTokens: 2, share: 1 }
]

function reply (response: ServerResponse): void {
  response.writeHead(200, EVENT_STREAM)
  response.end(wholeAnswer(2))
}

async function stage (t: Test, answer: (response: ServerResponse, index: number) => void): Promise<{ url: string, common: Omit<Extract<LoadJob, { phase: 'unloaded' }>, 'phase' | 'callsPerClass'>, samples: () => CallSample[] }> {
  const stub = await startStubServer(answer)
  t.teardown(stub.close)
  const outPath = join(t.testdir(), 'calls.ndjson')
  return {
    url: stub.url,
    common: { target: { url: stub.url, apiKey: 'k' }, outPath, classes, seed: 11, drainSeconds: 30 },
    samples: () => readFileSync(outPath, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
  }
}

t.test('the open loop in its process: one line a call, times on our clock', async t => {
  const { common, samples } = await stage(t, (response, index) => {
    if (index % 3 !== 0) return reply(response)
    response.writeHead(429, { 'x-weir-reason': 'queue-full' })
    response.end()
  })
  const fromMs = nowMs()
  const progress: number[] = []
  const summary = await runLoad({ ...common, phase: 'load', ratePerSecond: 60, seconds: 1, spin: true }, { cpus: [0], onProgress: ({ sent }) => progress.push(sent) })
  const lines = samples()
  t.equal(lines.length, summary.sent)
  t.equal(summary.sent, summary.intended)
  t.equal(summary.refused, Math.ceil(summary.sent / 3))
  t.equal(summary.answered, summary.sent - summary.refused)
  t.match(summary, { phase: 'load', stopped: false, failed: 0, unanswered: 0, capacity: undefined })
  t.ok(fromMs < summary.fromMs && summary.toMs === summary.fromMs + 1000 && summary.drainedAtMs < nowMs())
  t.ok(lines.every(({ intendedMs, sentMs }) => intendedMs >= summary.fromMs && intendedMs < summary.toMs && sentMs >= intendedMs))
  const { p50 = -1, p99 = -1, max = -1 } = summary.dispatchDelayMs ?? {}
  t.ok(p50 >= 0 && p50 <= p99 && p99 <= max)
  t.ok(summary.eventLoopDelayMaxMs >= 0)
  t.equal(progress[0], 0)
})

t.test('workers in place of arrivals: each asks again when it was answered, until the end', async t => {
  const { common, samples } = await stage(t, reply)
  const summary = await runLoad({ ...common, phase: 'load', ratePerSecond: 1, workers: 3, seconds: 1, spin: true })
  const lines = samples()
  t.ok(lines.length >= 3, 'not what the rate says')
  t.equal(lines.length, summary.answered)
  t.match(summary, { intended: undefined, unanswered: 0 })
  t.equal(summary.toMs, summary.fromMs + 1000)
  t.ok(lines.every(({ phase, intendedMs }) => phase === 'load' && intendedMs < summary.toMs))
})

t.test('a rehearsal calls nobody but itself, and leaves no sample', async t => {
  t.same(await rehearse(), { refused: 16, answered: 16 })
  const { common, samples } = await stage(t, reply)
  const summary = await runLoad({ ...common, phase: 'unloaded', callsPerClass: 1 }, { rehearse: true })
  t.match(summary, { sent: 2, answered: 2 })
  t.equal(samples().length, 2)
})

t.test('samples are appended: two jobs of a block share a file', async t => {
  const { common, samples } = await stage(t, response => setTimeout(() => reply(response), 20))
  const unloaded = await runLoad({ ...common, phase: 'unloaded', callsPerClass: 2 })
  const capacity = await runLoad({ ...common, phase: 'capacity', clients: 2, callsPerClient: 5, seconds: 0 })
  t.match(unloaded, { sent: 4, answered: 4, intended: 4 })
  t.same(samples().slice(0, 4).map(({ phase, seq, cls }) => [phase, seq, cls]), [['unloaded', 0, 'short'], ['unloaded', 1, 'long'], ['unloaded', 2, 'short'], ['unloaded', 3, 'long']])
  t.equal(samples().length, 4 + capacity.sent)
  t.ok(samples().slice(4).every(({ phase }) => phase === 'capacity'))
  t.ok((capacity.capacity?.answersPerSecond ?? 0) > 0)
})

t.test('a stop ends it with a summary and whole lines', async t => {
  const stop = new AbortController()
  const { common, samples } = await stage(t, (_response, index) => { if (index === 2) stop.abort() })
  const summary = await runLoad({ ...common, phase: 'load', ratePerSecond: 50, seconds: 600, spin: false }, { signal: stop.signal })
  t.equal(summary.stopped, true)
  t.ok(summary.sent >= 3 && summary.unanswered === summary.sent)
  t.equal(samples().length, summary.sent)
})

t.test('a stop before it began ends it too', async t => {
  const { common } = await stage(t, () => {})
  const summary = await runLoad({ ...common, phase: 'load', ratePerSecond: 1, seconds: 600, spin: false }, { signal: AbortSignal.abort() })
  t.equal(summary.stopped, true)
})

t.test('trouble comes back in words', async t => {
  const { common } = await stage(t, reply)
  await t.rejects(runLoad({ ...common, phase: 'capacity', clients: 0, callsPerClient: 2, seconds: 1 }), /load generator \(capacity, to http:\/\/127.+exit code 1\): job.clients is 0: Expected integer to be greater or equal to 1/)
  await t.rejects(runLoad({ ...common, outPath: '/nowhere/x', phase: 'unloaded', callsPerClass: 1 }), /ENOENT.+\/nowhere\/x/)
})

t.test('a job is checked by its phase', async t => {
  t.throws(() => parseJob({ phase: 'soak' }), /job: phase is "soak"; it must be one of load, conversations, capacity, unloaded, streams/)
  t.throws(() => parseJob(null), /job: phase is undefined/)
  t.throws(() => parseJob({ phase: 'load' }), /job\.\w+ is undefined/)
})
