import t from 'tap'
import { seededRandom } from '../stats/random.js'
import type { Block, CallSample } from '../types.js'
import { simulate } from './testing.js'
import { workCapacity } from './work.js'

const serviceTime = { msPerCall: 5, msPerPromptToken: 5, msPerOutputToken: 8 }

/** A closed loop of four clients that ends when its first `enough` calls are over, on a server that does `speed` seconds of work a second, shared alike, with calls as unlike as 50 to 1. */
function loop (seed: number, speed: number, enough: number): CallSample[] {
  const random = seededRandom(seed)
  const calls: CallSample[] = []
  const running: Array<{ seq: number, sentMs: number, left: number, promptTokens: number, outputTokens: number }> = []
  let nowMs = 1000
  let [started, left] = [0, enough]
  const begin = (): void => {
    const [promptTokens, outputTokens] = [Math.ceil(10 * 50 ** random()), Math.ceil(2 * 50 ** random())]
    running.push({ seq: started++, sentMs: nowMs, left: 5 + 5 * promptTokens + 8 * outputTokens, promptTokens, outputTokens })
  }
  const call = ({ seq, sentMs, promptTokens, outputTokens }: typeof running[number], rest: Pick<CallSample, 'outcome'> & Partial<CallSample>): CallSample =>
    ({ phase: 'capacity', seq, cls: 'a', intendedMs: sentMs, sentMs, doneMs: nowMs, chunks: 0, itlMs: [], ...rest, ...(rest.outcome === 'answered' ? { promptTokens, outputTokens } : {}) })
  while (running.length < 4) begin()
  while (left > 0) {
    const stepMs = Math.min(...running.map(({ left }) => left)) * running.length / speed
    nowMs += stepMs
    for (const each of running) each.left -= stepMs * speed / running.length
    const over = running.findIndex(({ left }) => left < 1e-6)
    const [done] = running.splice(over, 1)
    if (done !== undefined) calls.push(call(done, { outcome: 'answered' }))
    if (done !== undefined && done.seq < enough) left--
    if (left > 0) begin()
  }
  return [...calls, ...running.map(each => call(each, { outcome: 'unanswered', reason: 'enough' }))]
}

function capacity (calls: readonly CallSample[], clients = 4): number {
  const { plan, blocks: [block] } = simulate({ pairs: 1, windowSeconds: 5 })
  if (block === undefined || plan.workload.kind !== 'open-loop') throw new Error('an open loop expected')
  const { closedLoops, ...evidence } = block.evidence
  const only: Block = { ...block, evidence, calls }
  return workCapacity(only, { ...plan.workload, closedLoopClients: clients }, serviceTime)
}

t.test('of calls as unlike as 50 to 1 a short loop tells the work per second to a tenth', async t => {
  const errors = Array.from({ length: 40 }, (_, seed) => Math.abs(capacity(loop(seed, 1.3, 14)) / 1.3 - 1)).sort((a, b) => a - b)
  t.ok((errors[20] ?? 1) < 0.1, `median error ${errors[20]}`)
  const mean = Array.from({ length: 40 }, (_, seed) => capacity(loop(seed, 1.3, 14))).reduce((sum, each) => sum + each, 0) / 40
  t.ok(Math.abs(mean / 1.3 - 1) < 0.06, `mean ${mean} of 1.3`)
})

t.test('a loop with no more answers than clients tells nothing', async t => {
  t.equal(capacity(loop(1, 1, 4), 30), 0)
  t.ok(capacity(loop(1, 1, 14)) > 0)
})

t.test('a call that failed took its time and did nothing', async t => {
  const calls = loop(2, 1, 14)
  const failed = calls.map((each, i) => i === 5 ? { ...each, outcome: 'failed' as const } : each)
  t.ok(capacity(failed) < capacity(calls))
})
