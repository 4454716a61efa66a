import t from 'tap'
import { simulateBatched } from './testing-batched-server.js'
import { summarise } from './testing-simulation.js'

/** Prompts that cost little beside the answers; a call that is let in is there after a few milliseconds, when the next step has begun. */
const server = { places: 4, maxWaitMs: 30_000, maxQueued: 1_000, promptTokens: 44, outputTokens: 16, prefillMsPerToken: 1, noise: 0.15, sendMs: 4, streamed: true, durationMs: 120_000 }
const SEEDS = [1, 2, 3]

function goodPerSecond (options: { readonly overlap: boolean, readonly decodeStepMs: (slots: number) => number, readonly overload: number }): number {
  const { overload, ...more } = options
  const ttftLimitMs = 1_200
  const runs = SEEDS.map(seed => {
    const { goodPerSecond, ttftP95Ms } = summarise(simulateBatched({ ...server, ...more, seed, ttftLimitMs, arrivalsPerSecond: overload * 5 }), ttftLimitMs, 10_000, server.durationMs)
    t.ok(ttftP95Ms <= ttftLimitMs, `TTFT p95 ${ttftP95Ms.toFixed(0)} ms`)
    return goodPerSecond
  })
  return runs.reduce((sum, each) => sum + each, 0) / runs.length
}

t.test('overloaded, no slot misses a step between two calls: the more a step costs however few are in it, the more is gained', async t => {
  const cases: ReadonlyArray<readonly [what: string, decodeStepMs: (slots: number) => number]> = [
    ['a step costs the same for one as for four', () => 40],
    ['a token alone 22 ms, four of them 40', slots => 16 + 6 * slots],
    ['no gain by company: 7 and 39 ms', slots => 10.5 * slots - 3]
  ]
  for (const [what, decodeStepMs] of cases) {
    // A turn of four calls is 16 steps, or 17 with one that each slot misses, in which 15 tokens of each call are decoded; by a straight line through one and four slots.
    const perSlotMs = (decodeStepMs(4) - decodeStepMs(1)) / 3
    const turnMs = (steps: number): number => steps * (decodeStepMs(1) - perSlotMs) + 60 * perSlotMs + 4 * server.promptTokens * server.prefillMsPerToken
    const expected = turnMs(17) / turnMs(16)
    for (const overload of [2, 4]) {
      const gain = goodPerSecond({ overlap: true, decodeStepMs, overload }) / goodPerSecond({ overlap: false, decodeStepMs, overload })
      t.ok(Math.abs(gain - expected) < 0.02, `${what}, ${overload}×: good/s with ÷ without ${gain.toFixed(3)}, expected ${expected.toFixed(3)}`)
    }
  }
})
