import t from 'tap'
import { simulateBatched } from './testing-batched-server.js'

const server = { places: 4, maxWaitMs: 5_000, maxQueued: 1_000, promptTokens: 44, outputTokens: 16, prefillMsPerToken: 5, decodeStepMs: (slots: number) => 10.5 * slots - 3, noise: 0.15, durationMs: 300_000 }
const callers = ['heavy', 'b', 'c'] as const

/** Answers of each caller: `heavy` sends ten times what the others do, and each of those alone asks for more than a third of what the server gives. */
function answered (fair: boolean, heavyShare: number): number[] {
  const calls = simulateBatched({
    ...server,
    fair,
    seed: 5,
    arrivalsPerSecond: 24,
    lengthsOf: random => {
      const draw = random()
      const caller = draw < heavyShare ? 'heavy' : draw < heavyShare + (1 - heavyShare) / 2 ? 'b' : 'c'
      return { promptTokens: 44, outputTokens: 16, ask: { caller, weight: 1, priority: 1, bodyBytes: 200, promptTokens: 44, maxTokens: 16 } }
    }
  })
  return callers.map(caller => calls.filter(call => call.caller === caller && call.overAtMs !== undefined).length)
}

/** 1: all the same; 1/n: one has everything (Jain, Chiu & Hawe, DEC-TR-301, 1984). */
function jain (shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0)
  return sum ** 2 / shares.length / shares.reduce((total, share) => total + share ** 2, 0)
}

t.test('a caller that sends ten times what the others do gets no more than they', async t => {
  const fifo = answered(false, 10 / 12)
  const fair = answered(true, 10 / 12)
  t.ok(jain(fair) >= 0.95, `fair: ${fair.join(', ')} answers, Jain ${jain(fair).toFixed(3)}`)
  t.ok(jain(fifo) < 0.6, `as they came: ${fifo.join(', ')} answers, Jain ${jain(fifo).toFixed(3)}`)
  const all = (answers: readonly number[]): number => answers.reduce((sum, n) => sum + n, 0)
  t.ok(all(fair) > 0.97 * all(fifo), 'and the server answers as many')
})

t.test('control: among equal callers fairness changes nothing', async t => {
  const [fifo, fair] = [answered(false, 1 / 3), answered(true, 1 / 3)]
  t.ok(jain(fifo) > 0.98 && jain(fair) > 0.98, `${fifo.join(', ')} and ${fair.join(', ')}`)
})

/** Six callers that each ask for 0.94 of what a seventh part of the server would be, and one that sends ten times as much or does not: p95 of their TTFT, and answers of each. */
function modest (fair: boolean, greedy: boolean): { readonly ttftP95Ms: number, readonly answers: number[] } {
  const [capacity, others, durationMs] = [7.3, 6, 300_000]
  const each = 0.94 * capacity / (others + 1)
  const arrivalsPerSecond = each * (others + (greedy ? 10 : 0))
  const calls = simulateBatched({
    ...server,
    places: 1,
    promptTokens: 24,
    outputTokens: 2,
    maxWaitMs: 30_000,
    fair,
    seed: 3,
    durationMs,
    arrivalsPerSecond,
    lengthsOf: random => {
      const draw = random() * arrivalsPerSecond
      const caller = draw >= each * others ? 'greedy' : `other${Math.floor(draw / each)}`
      return { promptTokens: 24, outputTokens: 2, ask: { caller, weight: 1, priority: 1, bodyBytes: 200, promptTokens: 24, maxTokens: 2 } }
    }
  }).filter(({ overAtMs = Infinity }) => overAtMs < durationMs)
  const ttftsMs = calls.flatMap(({ caller, arrivedAtMs, firstByteAtMs }) => caller === 'greedy' || firstByteAtMs === undefined ? [] : firstByteAtMs - arrivedAtMs).sort((a, b) => a - b)
  const names = [...new Set(calls.map(({ caller }) => caller))]
  return { ttftP95Ms: ttftsMs[Math.floor(ttftsMs.length * 0.95)] ?? NaN, answers: names.map(name => calls.filter(({ caller }) => caller === name).length) }
}

t.test('callers that ask for less than their share wait less than twice as long beside one that asks for more', async t => {
  const alone = modest(true, false)
  const beside = modest(true, true)
  t.ok(beside.ttftP95Ms < 2 * alone.ttftP95Ms, `TTFT p95 ${beside.ttftP95Ms.toFixed(0)} ms, alone ${alone.ttftP95Ms.toFixed(0)} ms`)
  t.ok(jain(beside.answers) >= 0.95, `${beside.answers.join(', ')} answers, Jain ${jain(beside.answers).toFixed(3)}`)
  const fifo = modest(false, true)
  t.ok(fifo.ttftP95Ms > 10 * alone.ttftP95Ms && jain(fifo.answers) < 0.5, `as they came: ${fifo.ttftP95Ms.toFixed(0)} ms, Jain ${jain(fifo.answers).toFixed(3)}`)
})
