import t from 'tap'
import type { CallRecord } from '../../policies/contract.js'
import type { Block, CallSample, Cell, OpenLoopWorkload, OsSample } from '../types.js'
import { backlogPerSecond } from './backlog.js'
import { summarise } from './block-summary.js'
import { cellsOf } from './cells.js'
import { simulate } from './testing.js'
import { callRecord } from './testing-records.js'

const workload: OpenLoopWorkload = {
  kind: 'open-loop',
  classes: [{ name: 'short', promptWords: 8, maxTokens: 3, share: 0.5 }, { name: 'long', promptWords: 80, maxTokens: 3, share: 0.5 }],
  ratePerSecond: 1,
  rampSeconds: 1,
  windowSeconds: 10,
  drainSeconds: 5,
  capacitySeconds: 5,
  closedLoopClients: 1,
  ttftLimitMs: { short: 100, long: 500 }
}

const call = (intendedMs: number, over: Partial<CallSample>): CallSample => ({
  phase: 'load', seq: intendedMs, cls: 'short', intendedMs, sentMs: intendedMs + 1, firstMs: intendedMs + 100, lastMs: intendedMs + 300, doneMs: intendedMs + 310, outcome: 'answered', chunks: 3, itlMs: [50, 150], outputTokens: 3, ...over
})

const refused: Partial<CallSample> = { outcome: 'refused', reason: 'queue-full', chunks: 0, itlMs: [] }

function without (one: CallSample): CallSample {
  const { firstMs, lastMs, outputTokens, ...rest } = one
  return rest
}

const record = (arrivedAtMs: number, queueWaitMs: number, outcome: CallRecord['outcome']): CallRecord => callRecord({ id: 'x', outcome, arrivedAtMs, overAtMs: arrivedAtMs, queueWaitMs })

const sample = (atMs: number, samplerCpuUsec: number, cpuUsec: number): OsSample => ({
  atMs, samplerCpuUsec, process: { rssBytes: 1, minorFaults: 0, majorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0, cpuUsec, threads: 1 }
})

/** Judged window [11000, 21000). */
const block: Block = {
  evidence: { ...simulate({ pairs: 1, windowSeconds: 1 }).blocks[0]!.evidence, closedLoops: [{ fromMs: 0, toMs: 3000 }], judgedFromMs: 11_000, judgedToMs: 21_000 },
  calls: [
    call(10_999, {}), // ramp: not judged, but its tokens at 11099, 11149, 11299 and its end are in the window
    call(11_000, {}), // good: TTFT 100 = the limit
    call(12_000, { firstMs: 12_101 }), // 1 ms late
    call(13_000, { cls: 'long', firstMs: 13_400, lastMs: 13_600, doneMs: 13_601 }), // good for its class
    without(call(14_000, refused)),
    without(call(15_000, { outcome: 'unanswered', doneMs: 26_000, chunks: 0, itlMs: [] })),
    call(16_000, { outcome: 'failed', reason: 'reset', doneMs: 16_400 }), // content came, but not all of it: bad
    call(17_000, { chunks: 1, itlMs: [], outputTokens: 1, lastMs: 17_100 }), // one token: no tpot
    call(20_990, { firstMs: 21_000, lastMs: 21_200, doneMs: 21_210, sentMs: 20_994 }), // good; answer and tokens after the window
    call(21_000, {}), // after the window
    ...[0, 500, 1000, 1500, 2000, 2500].map(sentMs => call(sentMs, { phase: 'capacity', sentMs, doneMs: sentMs + 500 }))
  ],
  samples: [
    sample(0, 0, 900_000), sample(2500, 0, 930_000),
    ...[10_000, 11_000, 16_200, 21_001].map((atMs, i) => sample(atMs, i * 5200, 1e6 + i * 14_000))
  ],
  records: [record(10_000, 9, 'complete'), record(11_000, 4, 'complete'), record(12_000, 6, 'complete'), record(13_000, 1000, 'refused')]
}

t.test('the numbers of a block, worked out by hand', async t => {
  const view = summarise(block, workload)
  t.match(view.summary, {
    offeredPerSecond: 0.8, // 11000 … 20990
    goodPerSecond: 0.4, // 11000, 13000, 17000, 20990
    answeredPerSecond: 0.5, // ended in the window: 10999, 11000, 12000, 13000, 17000
    capacityPerSecond: 2,
    tokensPerSecond: 1.6, // 10999, 11000, 12000, 13000, 16000: 3 each; 17000: 1
    serverCpuUsecPerToken: 1000, // 14 tokens in [11000, 16200): 3 × 4 and the first two of 16000
    closedLoopCpuUsecPerToken: 2000, // 15 tokens in [0, 2500): 3 of each call from 0 to 2000
    dispatchDelayP95Ms: 4,
    samplerCpuShare: 0.001,
    valid: true
  })
  // Good 11000, 13000, 17000; 10999 but for a millisecond; of 20990 10 of 220 ms.
  t.equal(view.summary.goodPerCapacity.toFixed(9), ((3 + 309 / 310 + 10 / 220) / 10 / 2).toFixed(9))
  t.same(view.ttftMs, [100, 101, 400, 100, 10])
})

t.test('two closed loops count together: their answers and seconds, their CPU time over all their tokens', async t => {
  const again = [30_000, 31_000, 32_000].map(sentMs => call(sentMs, { phase: 'capacity', sentMs, doneMs: sentMs + 1000 }))
  const of = (closedLoops: Block['evidence']['closedLoops']) => summarise({ ...block, calls: [...block.calls, ...again], evidence: { ...block.evidence, closedLoops: closedLoops ?? [] } }, workload).summary
  // The first counts 4 answers in 2 s (without the cold call and the last), the second 1 in 1 s.
  t.match(of([{ fromMs: 0, toMs: 3000, serverCpuUsec: 36_000 }, { fromMs: 29_990, toMs: 33_010, serverCpuUsec: 27_000 }]), { capacityPerSecond: 5 / 3, closedLoopCpuUsecPerToken: 63_000 / 27 })
  t.match(of([{ fromMs: 29_990, toMs: 33_010, serverCpuUsec: 27_000 }]), { capacityPerSecond: 1, closedLoopCpuUsecPerToken: 3000 })
  t.match(of([{ fromMs: 0, toMs: 3000, serverCpuUsec: 36_000 }, { fromMs: 40_000, toMs: 41_000 }]), { capacityPerSecond: 0, closedLoopCpuUsecPerToken: null }, 'a loop without an estimate')
})

t.test('an empty window is an error, absent sources are null', async t => {
  t.throws(() => summarise({ ...block, evidence: { ...block.evidence, judgedToMs: 11_000 } }, workload), /judged window from 11000 to 11000 ms is empty/)
  const bare = summarise({ ...block, samples: [], calls: [] }, workload).summary
  t.match(bare, { serverCpuUsecPerToken: null, closedLoopCpuUsecPerToken: null, samplerCpuShare: 0, capacityPerSecond: 0, goodPerCapacity: 0, ttftAnsweredP50Ms: null })
})

t.test('backlog growth', async t => {
  const piling = Array.from({ length: 40 }, (_, i) => call(10_000 + 250 * i, { sentMs: 10_000 + 250 * i, doneMs: 10_000 + 500 * i + 1 }))
  const growth = backlogPerSecond({ ...block, calls: piling, evidence: { ...block.evidence, judgedToMs: 19_000 } })
  t.ok(growth !== null && Math.abs(growth - 2) < 0.1, `4 in, 2 out a second: ${growth}`)
  t.equal(backlogPerSecond({ ...block, calls: [] }), null)
})

t.test('populations and definitions of the cells', async t => {
  const cells = cellsOf({ ...simulate({ pairs: 1, windowSeconds: 1 }).plan, workload }, [summarise(block, workload)])
  const of = (metric: string, population: Cell['population']): Cell | undefined => cells.find(cell => cell.metric === metric && cell.population === population)
  t.match(of('ttft', 'offered'), { n: 8, p95: null, mean: null })
  t.match(of('ttft', 'answered'), { n: 5, mean: 142.2 })
  t.match(of('ttft-wire', 'answered'), { n: 5, mean: (99 + 100 + 399 + 99 + 6) / 5 })
  t.match(of('request-latency', 'answered'), { n: 5, mean: (310 + 310 + 601 + 310 + 220) / 5 })
  t.match(of('tpot', 'answered'), { n: 4, mean: (100 + 99.5 + 100 + 100) / 4 })
  t.match(of('itl', 'answered'), { n: 8, mean: 100 })
  t.match(of('refusal-cost', 'refused'), { n: 1, mean: 309 })
  t.match(of('queue-wait', 'answered'), { n: 2, mean: 5 })
  t.match(of('good-per-second', 'block'), { n: 1, mean: 0.4 })
})
