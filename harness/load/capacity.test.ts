import t from 'tap'
import { estimateCapacity, type CapacityCall, partsInside } from './capacity.js'
import { makeRandom } from './random.js'

interface Batching {
  /** When each client starts its first call. */
  readonly startMs: readonly number[]
  readonly seconds: number
  readonly seed: number
  /** Relative spread of each step's length. */
  readonly noise: number
}

const TOKENS = 16
const PREFILL_MS = 60
const STEP_MS = 20
const STEP_PER_SLOT_MS = 10

/** llama-server in small: every step gives each running call a token, a new call's prompt halts all others first. */
function simulate ({ startMs, seconds, seed, noise }: Batching): CapacityCall[] {
  const random = makeRandom(seed)
  const length = (ms: number): number => ms * (1 + noise * (random() + random() - 1) * Math.sqrt(6))
  const ended: CapacityCall[] = []
  const running: { client: number, sentMs: number, chunks: number }[] = []
  const waiting = startMs.map((sentMs, client) => ({ client, sentMs }))
  let clockMs = 0
  while (running.length > 0 || waiting.length > 0) {
    waiting.sort((a, b) => a.sentMs - b.sentMs)
    const next = waiting[0]
    if (next !== undefined && (next.sentMs <= clockMs || running.length === 0)) {
      waiting.shift()
      clockMs = Math.max(clockMs, next.sentMs) + length(PREFILL_MS)
      running.push({ ...next, chunks: 0 })
      continue
    }
    clockMs += length(STEP_MS + STEP_PER_SLOT_MS * running.length)
    for (const call of [...running]) {
      call.chunks++
      if (call.chunks < TOKENS) continue
      running.splice(running.indexOf(call), 1)
      ended.push({ sentMs: call.sentMs, doneMs: clockMs, chunks: TOKENS, outcome: 'answered' })
      if (clockMs < seconds * 1000) waiting.push({ client: call.client, sentMs: clockMs })
    }
  }
  return ended
}

const lockstep = [0, 0, 0, 0]
const spread = [0, 330, 660, 990]

/** Counted over an hour, where a round more or less is nothing. */
function truth (startMs: readonly number[], noise: number): number {
  const seconds = 3600
  return simulate({ startMs, seconds, seed: 1, noise }).filter(({ doneMs }) => doneMs <= seconds * 1000).length / seconds
}

function errors (startMs: readonly number[], noise: number, estimate: (calls: CapacityCall[]) => number | undefined): number[] {
  const expected = truth(startMs, noise)
  return Array.from({ length: 60 }, (_, index) => {
    // Ends of the loop fall anywhere in a round; 20 to 40 completions.
    const calls = simulate({ startMs, seconds: 9 + index * 0.05, seed: 100 + index, noise })
    return (estimate(calls) ?? NaN) / expected - 1
  })
}

const worst = (values: readonly number[]): number => Math.max(...values.map(Math.abs))
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value) / values.length
const ours = (calls: CapacityCall[]): number | undefined => estimateCapacity(calls, 4, 'let finish')?.answersPerSecond

/** Completions less one by the time between the first and the last. */
function naive (calls: CapacityCall[]): number {
  const ends = calls.map(({ doneMs }) => doneMs).sort((a, b) => a - b)
  return (ends.length - 1) / ((ends.at(-1) ?? 0) - (ends[0] ?? 0)) * 1000
}

t.test('the true capacity is recovered within 3 %, whether clients move in lockstep or not', async t => {
  for (const [name, startMs] of Object.entries({ lockstep, spread })) {
    for (const noise of [0, 0.05, 0.1]) {
      const found = errors(startMs, noise, ours)
      t.ok(worst(found) < 0.03, `${name}, noise ${noise}: worst ${worst(found)}`)
      t.ok(Math.abs(mean(found)) < 0.006, `${name}, noise ${noise}: bias ${mean(found)}`)
    }
  }
})

t.test('the same from loops that end by giving up what is under way, two calls a client', async t => {
  for (const [name, startMs] of Object.entries({ lockstep, spread })) {
    const found = errors(startMs, 0.05, calls => estimateCapacity(givenUp(calls, 8), 4)?.answersPerSecond)
    t.ok(worst(found) < 0.08, `${name}: worst ${worst(found)}`)
    t.ok(Math.abs(mean(found)) < 0.015, `${name}: bias ${mean(found)}`)
  }
})

/** When the first so many are over. */
function givenUp (calls: readonly CapacityCall[], enough: number): CapacityCall[] {
  const byStart = [...calls].sort((a, b) => a.sentMs - b.sentMs)
  const atMs = Math.max(...byStart.slice(0, enough).map(({ doneMs }) => doneMs))
  return byStart.filter(({ sentMs }) => sentMs < atMs).map(call => call.doneMs <= atMs ? call : { ...call, doneMs: atMs, outcome: 'unanswered', reason: 'enough' })
}

t.test('counting completions would not do: bursts bias it', async t => {
  t.ok(mean(errors(lockstep, 0.05, naive)) > 0.05)
})

t.test('chunks are counted in the same window', async t => {
  const estimate = estimateCapacity(simulate({ startMs: lockstep, seconds: 10, seed: 1, noise: 0 }), 4, 'let finish')
  t.ok(estimate)
  t.ok(Math.abs((estimate?.chunksPerSecond ?? 0) / (estimate?.answersPerSecond ?? 1) - TOKENS) < 1e-9)
})

t.test('the window: from the end of the first round to the start of the oldest call that saw the load fall', async t => {
  const call = (sentMs: number, doneMs: number): CapacityCall => ({ sentMs, doneMs, chunks: 4, outcome: 'answered' })
  const estimate = estimateCapacity([call(0, 1000), call(0, 1500), call(1000, 2000), call(1500, 2500), call(2000, 3000), call(2500, 3400)], 2, 'let finish')
  t.match(estimate, { fromMs: 1500, toMs: 2000, answers: 1, answersPerSecond: 2, chunksPerSecond: 8 })
})

t.test('one client: nothing is under way when its second call is over', async t => {
  const call = (sentMs: number, doneMs: number): CapacityCall => ({ sentMs, doneMs, chunks: 4, outcome: 'answered' })
  t.match(estimateCapacity([call(0, 900), call(900, 1400)], 1), { fromMs: 900, toMs: 1400, answers: 1, answersPerSecond: 2 })
})

t.test('a call that hangs is no capacity: only what the loop gave up stands in with the mean', async t => {
  const call = (sentMs: number, doneMs: number, over: Partial<CapacityCall> = {}): CapacityCall => ({ sentMs, doneMs, chunks: 4, outcome: 'answered', ...over })
  const calls = (reason: string): CapacityCall[] => [call(0, 1000), call(0, 1000), call(1000, 2000), call(2000, 3000), call(1000, 3000, { outcome: 'unanswered', reason })]
  t.equal(estimateCapacity(calls('drain over'), 2)?.answersPerSecond, 1)
  t.equal(estimateCapacity(calls('enough'), 2)?.answersPerSecond, 2)
})

t.test('only answers count', async t => {
  const calls = simulate({ startMs: lockstep, seconds: 10, seed: 1, noise: 0 })
  const halfFailed = calls.map((call, index) => index % 2 === 0 ? call : { ...call, outcome: 'failed' as const })
  const ratio = (ours(halfFailed) ?? 0) / (ours(calls) ?? 1)
  t.ok(Math.abs(ratio - 0.5) < 1e-9)
})

t.test('too short a loop gives no estimate', async t => {
  t.equal(estimateCapacity([], 4), undefined)
  t.equal(estimateCapacity([], 4, 'let finish'), undefined)
  t.equal(estimateCapacity(simulate({ startMs: lockstep, seconds: 0.5, seed: 1, noise: 0 }), 4, 'let finish'), undefined)
  t.equal(estimateCapacity(simulate({ startMs: lockstep, seconds: 1.5, seed: 1, noise: 0 }), 4, 'let finish'), undefined)
})

t.test('lives count with their parts inside: all windows together count each once', async t => {
  const lives = [{ fromMs: 0, toMs: 40, weight: 1 }, { fromMs: 10, toMs: 110, weight: 5 }, { fromMs: 50, toMs: 50, weight: 9 }]
  t.equal(partsInside(lives, 20, 60), 0.5 + 0.4)
  t.equal(partsInside(lives, 20, 60, ({ weight }) => weight), 0.5 + 5 * 0.4)
  const windows = [0, 1, 2, 3, 4, 5].map(n => partsInside(lives, 20 * n, 20 * n + 20))
  t.equal(Math.round(1e9 * windows.reduce((sum, part) => sum + part)), 2e9)
  t.equal(partsInside([], 0, 1), 0)
})
