import t, { type Test } from 'tap'
import type { ServerResponse } from 'node:http'
import type { CallSample, WorkloadClass } from '../types.js'
import { nowMs } from '../clock.js'
import { openChatClient, type ChatClient } from './client.js'
import { runClosedLoop } from './closed-loop.js'
import { runOpenLoop } from './open-loop.js'
import { EVENT_STREAM, startStubServer, wholeAnswer, type StubServer } from './stub-server.js'
import type { TraceEntry } from './trace.js'

const short: WorkloadClass = { name: 'short', promptWords: 4, maxTokens: 2, share: 1 }
const never = new AbortController().signal

/** One call every `everyMs`. */
function steady (calls: number, everyMs: number): TraceEntry[] {
  return Array.from({ length: calls }, (_, seq) => ({ seq, atMs: seq * everyMs, cls: 'short', promptSeed: seq }))
}

function reply (response: ServerResponse): void {
  response.writeHead(200, EVENT_STREAM)
  response.end(wholeAnswer(2))
}

async function stage (t: Test, answer: (response: ServerResponse, index: number) => void): Promise<{ stub: StubServer, client: ChatClient, samples: CallSample[], onSample: (sample: CallSample) => void }> {
  const stub = await startStubServer(answer)
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  const samples: CallSample[] = []
  return { stub, client, samples, onSample: sample => samples.push(sample) }
}

for (const spin of [true, false]) {
  t.test(`no call is ever sent early (spin: ${spin})`, async t => {
    const { stub, client, samples, onSample } = await stage(t, reply)
    const startAtMs = nowMs() + 5
    const trace = steady(150, 3.37)
    await runOpenLoop({ client, trace, classes: [short], startAtMs, drainUntilMs: startAtMs + 60_000, spin, onSample, signal: never })
    t.equal(samples.length, 150)
    t.same(samples.filter(({ sentMs, intendedMs }) => sentMs < intendedMs), [])
    t.ok(samples.every(({ outcome }) => outcome === 'answered'))
    t.same(samples.map(({ seq }) => seq).sort((a, b) => a - b), trace.map(({ seq }) => seq))
    for (const { seq, intendedMs } of samples) t.equal(intendedMs, startAtMs + seq * 3.37)
    t.equal(new Set(stub.requests.map(({ body }) => JSON.stringify(body.messages))).size, 150, 'prompts are unique')
  })
}

t.test('a stalled server delays no send, and the stall counts in every call that was meant to go out in it', async t => {
  const held: ServerResponse[] = []
  let stalled = true
  let releasedAtMs = 0
  const { stub, client, samples, onSample } = await stage(t, response => {
    if (stalled) held.push(response)
    else reply(response)
    // All of the stall's calls must be here before it ends: nothing waited for an answer.
    if (held.length === 20 && stalled) {
      stalled = false
      releasedAtMs = nowMs()
      for (const each of held) reply(each)
    }
  })
  const startAtMs = nowMs() + 5
  await runOpenLoop({ client, trace: steady(40, 10), classes: [short], startAtMs, drainUntilMs: startAtMs + 60_000, onSample, signal: never })
  t.equal(stub.requests.length, 40)
  t.equal(samples.length, 40)
  for (const { seq, intendedMs, firstMs = 0 } of samples.filter(({ seq }) => seq < 20)) {
    t.ok(firstMs >= releasedAtMs, `call ${seq} got its first chunk after the stall`)
    t.ok(firstMs - intendedMs >= releasedAtMs - startAtMs - seq * 10, `call ${seq} counts its whole wait`)
  }
  t.ok(releasedAtMs >= startAtMs + 190, 'the stall lasted until the twentieth call')
})

t.test('a generator that is late keeps the intended times', async t => {
  const { client, samples, onSample } = await stage(t, reply)
  const startAtMs = nowMs() - 500
  await runOpenLoop({ client, trace: steady(10, 10), classes: [short], startAtMs, drainUntilMs: startAtMs + 60_000, onSample, signal: never })
  t.equal(samples.length, 10)
  t.ok(samples.every(({ seq, intendedMs, sentMs, firstMs = 0 }) => intendedMs === startAtMs + seq * 10 && sentMs - intendedMs >= 400 && firstMs - intendedMs >= 400))
})

t.test('what is not answered when the drain is over is censored there', async t => {
  const { client, samples, onSample } = await stage(t, (response, index) => { if (index % 2 === 0) reply(response) })
  const startAtMs = nowMs()
  const drainUntilMs = startAtMs + 300
  await runOpenLoop({ client, trace: steady(10, 5), classes: [short], startAtMs, drainUntilMs, onSample, signal: never })
  const censored = samples.filter(({ outcome }) => outcome !== 'answered')
  t.equal(samples.length, 10)
  t.ok(censored.length >= 5, 'those that got no answer, and on a machine that stood still whatever was too late')
  t.ok(censored.every(({ outcome, doneMs, reason }) => outcome === 'unanswered' && doneMs >= drainUntilMs && reason === 'drain over'))
})

t.test('a stop ends sending and waiting', async t => {
  const stop = new AbortController()
  const { stub, client, samples, onSample } = await stage(t, (_response, index) => { if (index === 4) stop.abort() })
  const startAtMs = nowMs()
  // The others are an hour away: however late the stop is heard of, it is heard of before them.
  const trace = steady(100, 1).map(call => call.seq < 5 ? call : { ...call, atMs: call.atMs + 3_600_000 })
  await runOpenLoop({ client, trace, classes: [short], startAtMs, drainUntilMs: startAtMs + 60_000, onSample, signal: stop.signal })
  t.equal(samples.length, 5)
  t.equal(stub.requests.length, 5)
  t.ok(samples.every(({ outcome, reason }) => outcome === 'unanswered' && reason === 'stopped'))
})

t.test('a class that is not there is named', async t => {
  const { client, onSample } = await stage(t, reply)
  await t.rejects(runOpenLoop({ client, trace: steady(1, 1), classes: [{ ...short, name: 'long' }], startAtMs: nowMs(), drainUntilMs: nowMs() + 100, onSample, signal: never }), /no class is named 'short'; there are long/)
})

const closed = { phase: 'capacity' as const, nextClass: () => short, seed: 1, signal: never }

t.test('a closed loop has as many calls under way as clients, and goes on when one ends', async t => {
  const held: ServerResponse[] = []
  let most = 0
  const { stub, client, samples, onSample } = await stage(t, response => {
    held.push(response)
    most = Math.max(most, held.length)
    if (held.length === 3) for (const each of held.splice(0)) reply(each)
  })
  await runClosedLoop({ ...closed, client, clients: 3, maxCalls: 12, drainUntilMs: nowMs() + 60_000, onSample })
  t.equal(samples.length, 12)
  t.equal(most, 3)
  t.ok(stub.connections.total <= 4, 'connections are kept')
  t.ok(samples.every(({ outcome, intendedMs, sentMs }) => outcome === 'answered' && intendedMs <= sentMs))
})

t.test('calls under way at the end of a closed loop are let finish', async t => {
  const { client, samples, onSample } = await stage(t, response => setTimeout(() => reply(response), 150))
  await runClosedLoop({ ...closed, client, clients: 2, maxCalls: 2, drainUntilMs: nowMs() + 60_000, onSample })
  t.same(samples.map(({ outcome }) => outcome), ['answered', 'answered'])
})

t.test('a closed loop that is the load: calls as their class says, none begun after its end, and those under way let finish', async t => {
  const told: unknown[] = []
  const stub = await startStubServer((response, index) => {
    told.push(stub.requests[index]?.headers['x-class'])
    setTimeout(() => reply(response), 20)
  })
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => { await client.close(); await stub.close() })
  const samples: CallSample[] = []
  const untilMs = nowMs() + 200
  await runClosedLoop({ phase: 'load', clients: 3, nextClass: () => ({ ...short, headers: { 'x-class': 'short' } }), seed: 1, signal: never, client, untilMs, drainUntilMs: untilMs + 60_000, onSample: sample => samples.push(sample) })
  t.ok(samples.length >= 3)
  t.ok(samples.every(({ phase, outcome, intendedMs }) => phase === 'load' && outcome === 'answered' && intendedMs < untilMs))
  t.ok(Math.max(...samples.map(({ doneMs }) => doneMs)) >= untilMs, 'they ask until its end')
  t.same([...new Set(told)], ['short'])
})

t.test('enough: each counted call has full company to its end, what is under way then is given up', async t => {
  const held: ServerResponse[] = []
  const { client, samples, onSample } = await stage(t, (response, index) => {
    if (index < 6 || index === 7) reply(response)
    else held.push(response)
    // The last of the first eight is answered when seven others beside and after it are under way or over.
    if (index === 8) for (const each of held.splice(0, 1)) reply(each)
  })
  await runClosedLoop({ ...closed, client, clients: 2, enough: { calls: 8, notBeforeMs: 0 }, drainUntilMs: nowMs() + 60_000, onSample })
  t.ok(samples.filter(({ seq }) => seq < 8).every(({ outcome }) => outcome === 'answered'))
  const others = samples.filter(({ seq }) => seq >= 8)
  t.ok(others.length >= 1)
  t.ok(others.every(({ outcome, reason }) => outcome === 'unanswered' && reason === 'enough'), JSON.stringify(others))
})

t.test('enough, but not before its time', async t => {
  const { client, samples, onSample } = await stage(t, response => setTimeout(() => reply(response), 5))
  const notBeforeMs = nowMs() + 120
  await runClosedLoop({ ...closed, client, clients: 2, enough: { calls: 2, notBeforeMs }, drainUntilMs: nowMs() + 60_000, onSample })
  t.ok(Math.max(...samples.map(({ doneMs }) => doneMs)) >= notBeforeMs, 'the two calls that are enough were over long before, or as late')
})

t.test('a dead server is not asked in a tight loop', async t => {
  const { stub, client, samples, onSample } = await stage(t, reply)
  await stub.close()
  await runClosedLoop({ ...closed, client, clients: 1, maxCalls: 3, drainUntilMs: nowMs() + 60_000, onSample })
  t.equal(samples.length, 3)
  t.ok(samples.slice(1).every(({ sentMs }, index) => sentMs >= (samples[index]?.doneMs ?? Infinity) + 100), 'a tenth of a second between them')
  t.ok(samples.every(({ outcome }) => outcome === 'failed'))
})
