import t from 'tap'
import type { CallSample } from '../types.js'
import { nowMs } from '../clock.js'
import type { ChatClient } from './client.js'
import { withRetries } from './retries.js'

const prepared = { phase: 'load' as const, seq: 0, cls: 'default', body: '{}' }
const never = new AbortController().signal

/** Refuses so many tries, each telling to come back after so many seconds. */
function refusing (times: number, retryAfterSeconds?: number): ChatClient & { readonly sentMs: number[] } {
  const sentMs: number[] = []
  return {
    sentMs,
    async call ({ phase, seq, cls }, intendedMs): Promise<CallSample> {
      const atMs = nowMs()
      sentMs.push(atMs)
      const common = { phase, seq, cls, intendedMs, sentMs: atMs, doneMs: atMs + 1, itlMs: [] }
      return sentMs.length > times
        ? { ...common, status: 200, outcome: 'answered', firstMs: atMs + 1, chunks: 1 }
        : { ...common, status: 429, outcome: 'refused', reason: 'deadline', chunks: 0, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
    },
    close: async () => undefined
  }
}

t.test('who is told when comes back then, and counts from its first intended time', async t => {
  const client = refusing(2, 0)
  const intendedMs = nowMs() - 50
  const sample = await withRetries(client, prepared, intendedMs, { wait: 'told', tries: 3, patienceSeconds: 60 }, never)
  t.match(sample, { outcome: 'answered', intendedMs, sentMs: client.sentMs[0], lastSentMs: client.sentMs[2] })
  t.match(sample.refusals, [{ status: 429, reason: 'deadline', retryAfterSeconds: 0, sentMs: client.sentMs[0] }, { sentMs: client.sentMs[1] }])
})

t.test('a constant wait is kept, whatever was told', async t => {
  const client = refusing(1, 60)
  const sample = await withRetries(client, prepared, nowMs(), { wait: 0.03, tries: 2, patienceSeconds: 60 }, never)
  t.equal(sample.outcome, 'answered')
  t.ok((client.sentMs[1] ?? 0) - (client.sentMs[0] ?? 0) >= 31)
})

t.test('it ends: without retries, after the last try, beyond the patience, when nothing was told, and when all is over', async t => {
  const tries = async (client: ReturnType<typeof refusing>, retry: Parameters<typeof withRetries>[3], signal = never): Promise<number> => {
    const sample = await withRetries(client, prepared, nowMs(), retry, signal)
    t.equal(sample.outcome, 'refused')
    t.equal((sample.refusals ?? []).length, client.sentMs.length - 1)
    return client.sentMs.length
  }
  t.equal(await tries(refusing(9, 0), undefined), 1)
  t.equal(await tries(refusing(9, 0), { wait: 'told', tries: 3, patienceSeconds: 60 }), 3)
  t.equal(await tries(refusing(9, 10), { wait: 'told', tries: 3, patienceSeconds: 9 }), 1)
  t.equal(await tries(refusing(9), { wait: 'told', tries: 3, patienceSeconds: 60 }), 1)
  t.equal(await tries(refusing(9, 50), { wait: 'told', tries: 3, patienceSeconds: 60 }, AbortSignal.timeout(20)), 1)
})
