import t from 'tap'
import type { CallSample } from '../types.js'
import { readCalibration } from './calibrate.js'

const classes = [{ name: 'default', promptWords: 32, maxTokens: 16, share: 1 }]

function call (changes: Partial<CallSample>): CallSample {
  return { phase: 'unloaded', seq: 0, cls: 'default', intendedMs: 0, sentMs: 0, firstMs: 100, doneMs: 250, status: 200, outcome: 'answered', chunks: 16, itlMs: [], ...changes }
}

/** A closed loop of 4 clients, each answer takes 1 s: capacity 4 answers/s. */
const closed = Array.from({ length: 24 }, (_, i) => {
  const sentMs = Math.floor(i / 4) * 1000
  return call({ phase: 'capacity', seq: i, sentMs, doneMs: sentMs + 1000 })
})

t.test('the unloaded TTFT is the median without the first, cold call; the capacity that of the closed loop', async t => {
  const unloaded = [9000, 100, 110, 120].map((firstMs, seq) => call({ seq, firstMs }))
  const calibration = readCalibration([...unloaded, ...closed], classes, 4)
  t.strictSame(calibration.unloadedTtftMs, { default: 110 })
  t.ok(Math.abs(calibration.capacityPerSecond - 4) < 0.05, `${calibration.capacityPerSecond}`)
  t.equal(calibration.answers, 24)
})

t.test('where lengths differ it says what a token takes, without the first, cold call of each class', async t => {
  const lengths = [{ promptTokens: 900, firstMs: 9_000 }, ...[20, 40, 120].map(promptTokens => ({ promptTokens, firstMs: 10 + 5 * promptTokens }))]
  const unloaded = lengths.map(({ promptTokens, firstMs }, seq) => call({ seq, promptTokens, firstMs, lastMs: firstMs + 120 }))
  t.strictSame(readCalibration([...unloaded, ...closed], classes, 4).serviceTime, { msPerCall: 10, msPerPromptToken: 5, msPerOutputToken: 8 })
  t.equal(readCalibration([...unloaded.map(sample => ({ ...sample, promptTokens: 44 })), ...closed], classes, 4).serviceTime, undefined)
})

t.test('what cannot be calibrated is an error that says why', async t => {
  t.throws(() => readCalibration([call({ outcome: 'failed', status: 500, reason: 'http 500' })], classes, 4), /a call failed \(500, http 500\)/)
  t.throws(() => readCalibration([call({ outcome: 'unanswered' })], classes, 4), /no call of class default was answered in time/)
  t.throws(() => readCalibration([call({}), call({}), call({ phase: 'capacity' })], classes, 4), /too few answers/)
})
