import { request } from 'node:http'
import t from 'tap'
import { startFakeServer } from '../models/fake/fake-server.js'
import { TurnClock } from './testing-clock.js'
import { post, startTestGateway } from './testing.js'

const slots = 8
const admission = { policies: [{ name: 'admission', slots, maxWaitMs: 60_000, maxQueued: 1000, releaseTimeoutMs: 60_000 }] }

/** Numbers in [0, 1) from a seed (mulberry32). */
function randomFrom (seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

type Leave = 'at once' | 'after headers' | 'after chunks' | 'never'

/** Sends one call and leaves as told; resolves when its connection is closed. */
async function callAndLeave (url: string, body: object, leave: Leave, turns: number): Promise<void> {
  await new Promise<void>(resolve => {
    const outgoing = request(`${url}/v1/chat/completions`, { method: 'POST', agent: false, headers: { 'content-type': 'application/json' } })
    outgoing.on('close', resolve)
    outgoing.on('error', () => {})
    outgoing.on('response', response => {
      response.on('error', () => {})
      let left = leave === 'after headers' ? 0 : turns
      if (left === 0 && leave !== 'never') outgoing.destroy()
      response.on('data', () => { if (leave === 'after chunks' && left-- <= 0) outgoing.destroy() })
    })
    outgoing.end(JSON.stringify(body))
    function later (count: number): void {
      if (count === 0) outgoing.destroy()
      else setImmediate(() => { later(count - 1) })
    }
    if (leave === 'at once') outgoing.on('finish', () => { later(turns) })
  })
}

t.test('1,000 clients that leave at random leave nothing behind, and never are there more calls upstream than places', async t => {
  const fake = await startFakeServer({ slots, batchTokens: 64, answerTokens: 8, disconnectNoticeMs: 5 })
  const gateway = await startTestGateway({ upstream: fake.url, config: admission, pollIntervalMs: 10, clock: new TurnClock() })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  let most = 0
  let done = false
  // Asked at each change.
  const watched = fake.waitFor(({ running, deferred }) => {
    most = Math.max(most, running + deferred)
    return done
  }, 600_000)
  const random = randomFrom(7)
  const leaves: readonly Leave[] = ['at once', 'at once', 'after headers', 'after chunks', 'never']
  let sent = 0
  async function client (): Promise<void> {
    while (sent < 1000) {
      sent++
      const leave = leaves[Math.floor(random() * leaves.length)] ?? 'never'
      const words = Math.floor(random() * 60) + 1
      await callAndLeave(gateway.url, { messages: [{ role: 'user', content: 'w '.repeat(words) }], stream: random() < 0.7, max_tokens: 8 }, leave, Math.floor(random() * 20))
    }
  }
  await Promise.all(Array.from({ length: 32 }, client))
  await fake.waitFor(({ running, deferred }) => running === 0 && deferred === 0)
  await gateway.gateway.calls.idle()
  done = true
  await gateway.stop()
  await fake.close()
  await watched.catch(() => {})
  t.equal(gateway.gateway.releases.running, 0, 'no upstream call')
  t.equal(gateway.gateway.releases.zombiePlaces, 0, 'no broken-off call')
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { taken: 0, queued: 0, unconfirmedReleases: 0 })
  t.ok(most <= slots, `${most} calls at upstream at most`)
  t.equal(fake.stats.failed, 0)
  const outcomes = new Set(gateway.records.map(({ outcome }) => outcome))
  t.same([...outcomes].sort(), ['complete', 'left'])
  t.ok(gateway.records.length > 800, `${gateway.records.length} records; who left before the gateway had the body has none`)
})

t.test('who leaves in the queue never reaches upstream; who leaves in prefill keeps the place until upstream let go', async t => {
  const fake = await startFakeServer({ slots: 1, manual: true })
  const gateway = await startTestGateway({ upstream: fake.url, config: { policies: [{ name: 'admission', releaseTimeoutMs: 60_000 }] } })
  t.teardown(async () => { await gateway.stop(); await fake.close() })
  const gauges = (): Readonly<Record<string, number>> => gateway.gateway.policyGauges()[0]?.gauges ?? {}
  async function until (condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise(resolve => { setTimeout(resolve, 1) })
  }
  const chat = `${gateway.url}/v1/chat/completions`
  const body = { messages: [{ role: 'user', content: 'hello' }], max_tokens: 2 }

  const inPrefill = new AbortController()
  const first = post(chat, body, {}, inPrefill.signal)
  await fake.waitFor(({ running }) => running === 1)
  const inQueue = new AbortController()
  const second = post(chat, body, {}, inQueue.signal)
  const third = post(chat, body)
  await until(() => gauges()['queued'] === 2)

  inQueue.abort()
  await t.rejects(second)
  await until(() => gauges()['queued'] === 1)
  inPrefill.abort()
  await t.rejects(first)
  await until(() => gateway.gateway.releases.zombiePlaces === 1)
  await until(() => (fake.stats.byPath['/metrics'] ?? 0) >= 2)
  t.equal(gauges()['taken'], 1, 'two readings say that it still computes: the place stays taken')
  t.equal(gauges()['queued'], 1)
  t.equal(fake.stats.running, 1)

  await fake.release()
  t.equal((await third).status, 200)
  await gateway.recorded(3)
  t.equal(fake.stats.byPath['/v1/chat/completions'], 2, 'the one that left in the queue was never sent')
  t.equal(fake.stats.peakRunning, 1)
  const byStatus = gateway.records.map(({ status, outcome, admittedAtMs }) => [status, outcome, admittedAtMs !== undefined])
  t.same(byStatus.sort((a, b) => Number(a[2]) - Number(b[2])), [[499, 'left', false], [499, 'left', true], [200, 'complete', true]])
  const left = gateway.records.find(record => record.outcome === 'left' && record.admittedAtMs !== undefined)
  t.ok(Number(left?.releasedAtMs) > Number(left?.overAtMs), 'released after it was over')
})
