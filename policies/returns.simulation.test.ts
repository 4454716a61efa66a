import t from 'tap'
import { simulateBatched, type BatchedOptions } from './testing-batched-server.js'
import type { SimulatedCall } from './testing-traffic.js'

/** Answers per second of the server below under saturation. */
const CAPACITY = 5
const server: Omit<BatchedOptions, 'arrivalsPerSecond' | 'durationMs' | 'seed'> = { places: 4, maxWaitMs: 30_000, maxQueued: 1_000, ttftLimitMs: 2_000, promptTokens: 24, outputTokens: 8, prefillMsPerToken: 5, decodeStepMs: slots => 10.5 * slots - 3, noise: 0.15, streamed: true }
const ask = { caller: 'c', weight: 1, priority: 0, bodyBytes: 200, promptTokens: 24, maxTokens: 8 }
const lengthsOf = () => ({ promptTokens: 24, outputTokens: 8, ask })

/** A burst of ten seconds at four times the capacity over a base of 0.6 of it. */
function burst (seed: number, comeBack: 'told' | number): SimulatedCall[] {
  const [base, high] = [0.6, 4.6]
  return simulateBatched({ ...server, lengthsOf, seed, comeBack, arrivalsPerSecond: high * CAPACITY, durationMs: 120_000, chance: atMs => atMs >= 10_000 && atMs < 20_000 ? 1 : base / high })
}

function servedAtSecondTry (calls: readonly SimulatedCall[]): { readonly tries: number, readonly share: number } {
  const seconds = calls.filter(({ triedAs }) => triedAs !== undefined)
  return { tries: seconds.length, share: seconds.filter(({ overAtMs }) => overAtMs !== undefined).length / seconds.length }
}

for (const seed of [1, 2, 3]) {
  t.test(`who comes back when it was told to is served (seed ${seed})`, async t => {
    const told = servedAtSecondTry(burst(seed, 'told'))
    t.ok(told.tries > 80, `${told.tries} second tries`)
    t.ok(told.share >= 0.9, `told: ${told.share.toFixed(3)}`)
    const constant = servedAtSecondTry(burst(seed, 1_000))
    t.ok(constant.share < 0.5, `a second later: ${constant.share.toFixed(3)}`)
  })
}

t.test('the server answers as much as it does when nobody is expected', async t => {
  const answered = (comeBack: 'told' | undefined): number => simulateBatched({ ...server, lengthsOf, seed: 4, ...(comeBack === undefined ? {} : { comeBack }), arrivalsPerSecond: 2 * CAPACITY, durationMs: 120_000 }).filter(({ overAtMs = Infinity }) => overAtMs < 120_000).length
  const [told, nobody] = [answered('told'), answered(undefined)]
  t.ok(told >= 0.97 * nobody, `${told} and ${nobody} answers`)
})

t.test('who does not keep to it costs newcomers little', async t => {
  const answers = (comeBack: number | undefined): number => simulateBatched({ ...server, lengthsOf, seed: 5, ...(comeBack === undefined ? {} : { comeBack }), arrivalsPerSecond: 2 * CAPACITY, durationMs: 120_000 }).filter(({ overAtMs = Infinity }) => overAtMs < 120_000).length
  const [never, nobody] = [answers(1e9), answers(undefined)]
  t.ok(never >= 0.97 * nobody, `${never} and ${nobody} answers`)
})

t.test('under lasting overload it is capped', async t => {
  const calls = simulateBatched({ ...server, lengthsOf, seed: 6, comeBack: 'told', maxRetryAfterMs: 8_000, arrivalsPerSecond: 2 * CAPACITY, durationMs: 120_000 })
  const toldMs = calls.flatMap(({ retryAfterMs }) => retryAfterMs ?? [])
  t.equal(Math.max(...toldMs), 8_000)
  const { share } = servedAtSecondTry(calls)
  t.ok(share > 0.3 && share < 0.75, `${share.toFixed(3)} of the second tries: who could be given no time within the cap has none`)
})
