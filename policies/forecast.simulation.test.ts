import t from 'tap'
import { simulateBatched, type SimulatedLengths } from './testing-batched-server.js'
import type { SimulatedCall } from './testing-traffic.js'

// Measured of a 135M model on one core: 5 ms a prompt token, decode steps of 7 ms alone and 39 ms among four.
const server = { places: 4, maxWaitMs: 30_000, maxQueued: 1_000, promptTokens: 0, outputTokens: 0, prefillMsPerToken: 5, decodeStepMs: (slots: number) => 10.5 * slots - 3, noise: 0.15 }
const MAX_TOKENS = 512

function lognormal (random: () => number, median: number, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.max(1, Math.round(median * Math.exp(sigma * normal)))
}

/** The prompt is known when it arrives, the length of the answer is not: its bound says 512. */
function unequal (random: () => number): SimulatedLengths {
  const promptTokens = lognormal(random, 40, 1)
  return { promptTokens, outputTokens: Math.min(MAX_TOKENS, lognormal(random, 16, 1)), ask: { caller: 'c', weight: 1, priority: 1, bodyBytes: promptTokens * 5, promptTokens, maxTokens: MAX_TOKENS } }
}

interface Judged { readonly covered: number, readonly n: number, readonly bias: number, readonly errorToShuffled: number }

function judge (calls: readonly SimulatedCall[], fromMs: number): Judged {
  const judged = calls.flatMap(({ arrivedAtMs, firstByteAtMs, predicted }) => firstByteAtMs === undefined || predicted?.lowMs === undefined || predicted.highMs === undefined || arrivedAtMs < fromMs
    ? []
    : [{ realMs: firstByteAtMs - arrivedAtMs, ...predicted, lowMs: predicted.lowMs, highMs: predicted.highMs }])
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  // Each held against the prediction of another call of the same run: what is known without knowing the call.
  const shuffled = judged.map((_, index) => judged[(index * 7_919 + 1_013) % judged.length]?.ttftMs ?? NaN)
  return {
    covered: judged.filter(({ realMs, lowMs, highMs }) => realMs >= lowMs && realMs <= highMs).length / judged.length,
    n: judged.length,
    bias: sum(judged.map(({ ttftMs }) => ttftMs)) / sum(judged.map(({ realMs }) => realMs)),
    errorToShuffled: sum(judged.map(({ realMs, ttftMs }) => Math.abs(realMs - ttftMs))) / sum(judged.map(({ realMs }, index) => Math.abs(realMs - (shuffled[index] ?? NaN))))
  }
}

t.test('the 80 % interval of the predicted time to first token covers 75 to 85 %, with the lengths of answers hidden', async t => {
  // Calls per second, and what shuffled predictions must at least err more: in a line that is always full there is little to tell calls apart by.
  for (const [arrivalsPerSecond, atMost] of [[1, 0.7], [2, 0.8], [4, 1]] as const) {
    for (const seed of [1, 2, 3]) {
      const calls = simulateBatched({ ...server, seed, arrivalsPerSecond, durationMs: 1_200_000, lengthsOf: unequal })
      const { covered, n, bias, errorToShuffled } = judge(calls, 60_000)
      const where = `${arrivalsPerSecond}/s, seed ${seed}: ${(100 * covered).toFixed(1)} % of ${n}, predicted ÷ real ${bias.toFixed(2)}, error ${errorToShuffled.toFixed(2)} of that of shuffled predictions`
      t.ok(covered >= 0.75 && covered <= 0.85, where)
      t.ok(errorToShuffled <= atMost, `a prediction of the call: ${where}`)
      t.ok(bias > 0.8 && bias < 1.25, `of the right size: ${where}`)
    }
  }
})
