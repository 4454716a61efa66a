import t from 'tap'
import type { LongPrefillOptions } from './long-prefills.js'
import { ByLength } from './slot-choice.js'
import { simulateBatched, type BatchedOptions } from './testing-batched-server.js'
import type { SimulatedCall } from './testing-traffic.js'

/** Measured of a 135M model on one core: 5.5 ms a prompt token, 7 ms a step alone and 39 ms among four. */
const server: Omit<BatchedOptions, 'seed' | 'arrivalsPerSecond'> = {
  places: 4, maxWaitMs: 120_000, maxQueued: 1_000, promptTokens: 44, outputTokens: 16, prefillMsPerToken: 5.5, decodeStepMs: slots => 10.5 * slots - 3, noise: 0.15, durationMs: 1_200_000, batchTokens: 2_048, streamed: true
}
const chunks: LongPrefillOptions = { chunkMs: 400, share: 0.5, maxPauseMs: 1_500 }
const CALLERS = { short: 44, long: 1_500 } as const

interface Figures { readonly ttftP95Ms: number, readonly ttftMaxMs: number, readonly gapP99Ms: number, readonly ttftMeanMs: number, readonly count: number }

function run (preemptiblePrefill: LongPrefillOptions | undefined, seed: number, given: Partial<BatchedOptions> = {}): Record<keyof typeof CALLERS, Figures> {
  const calls = simulateBatched({
    ...server,
    seed,
    arrivalsPerSecond: 0.5,
    slotStrategy: new ByLength(),
    ...(preemptiblePrefill === undefined ? {} : { preemptiblePrefill }),
    lengthsOf: mixOf(0.1),
    ...given
  })
  t.equal(calls.filter(call => call.overAtMs === undefined).length, 0, 'every call was answered')
  return { short: figures(calls, 'short'), long: figures(calls, 'long') }
}

/** As admission tells of them: a prompt that is longer than 1.5 chunks can be fed. */
function mixOf (longShare: number): NonNullable<BatchedOptions['lengthsOf']> {
  return (random, isLong) => {
    const caller = random() < longShare ? 'long' : 'short'
    const promptTokens = CALLERS[caller]
    const ask = { caller, weight: 1, priority: 1, bodyBytes: promptTokens * 5, promptTokens, maxTokens: 16, nameable: true }
    return { promptTokens, outputTokens: 16, ask: { ...ask, feedable: isLong(ask) } }
  }
}

function figures (calls: readonly SimulatedCall[], caller: string): Figures {
  const of = calls.filter(call => call.caller === caller)
  const sorted = (values: readonly number[]): readonly number[] => [...values].sort((a, b) => a - b)
  const at = (values: readonly number[], q: number): number => values[Math.min(values.length - 1, Math.floor(values.length * q))] ?? NaN
  const ttfts = sorted(of.map(call => (call.firstByteAtMs ?? NaN) - call.arrivedAtMs))
  const gaps = sorted(of.map(call => call.longestGapMs ?? NaN))
  return { ttftP95Ms: at(ttfts, 0.95), ttftMaxMs: at(ttfts, 1), gapP99Ms: at(gaps, 0.99), ttftMeanMs: ttfts.reduce((sum, ms) => sum + ms, 0) / ttfts.length, count: of.length }
}

for (const seed of [1, 2, 3]) {
  t.test(`a tenth of the calls have long prompts, seed ${seed}`, async t => {
    const [whole, fed] = [run(undefined, seed), run(chunks, seed)]
    t.ok(whole.short.ttftP95Ms >= 5 * fed.short.ttftP95Ms, `p95 of the short ones’ time to first token: ${whole.short.ttftP95Ms.toFixed(0)} → ${fed.short.ttftP95Ms.toFixed(0)} ms`)
    // A chunk may last up to `noise` longer than a mean one.
    const boundMs = chunks.chunkMs * (1 + server.noise)
    t.ok(fed.short.gapP99Ms <= 2 * boundMs, `p99 of the longest gap in a stream: ${whole.short.gapP99Ms.toFixed(0)} → ${fed.short.gapP99Ms.toFixed(0)} ms`)
    t.ok(fed.long.ttftP95Ms <= 1.5 * whole.long.ttftP95Ms, `p95 of the long ones: ${whole.long.ttftP95Ms.toFixed(0)} → ${fed.long.ttftP95Ms.toFixed(0)} ms`)
    t.ok(fed.long.ttftMaxMs <= 1.5 * whole.long.ttftMaxMs, `and the last of them: ${whole.long.ttftMaxMs.toFixed(0)} → ${fed.long.ttftMaxMs.toFixed(0)} ms`)
  })
}

t.test('control: with a chunk that is longer than every prompt the gain is gone', async t => {
  const [control, fed] = [run({ ...chunks, chunkMs: 60_000 }, 1), run(chunks, 1)]
  t.ok(control.short.ttftP95Ms >= 5 * fed.short.ttftP95Ms, `${control.short.ttftP95Ms.toFixed(0)} and ${fed.short.ttftP95Ms.toFixed(0)} ms`)
})

t.test('nobody starves: a long prompt ends although short ones keep coming', async t => {
  // Half of the machine's time is for the short ones, which come all the time; two in a hundred calls are long.
  const busy = run(chunks, 4, { arrivalsPerSecond: 1.2, lengthsOf: mixOf(0.02) })
  const slowestMs = 1_500 / 64 * (chunks.chunkMs + chunks.maxPauseMs)
  t.ok(busy.long.count >= 10)
  t.ok(busy.long.ttftMaxMs <= 2 * slowestMs, `the last long one after ${busy.long.ttftMaxMs.toFixed(0)} ms`)
})
