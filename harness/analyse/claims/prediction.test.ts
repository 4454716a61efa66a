import t from 'tap'
import type { CallRecord } from '../../../policies/contract.js'
import { normal, seededRandom } from '../../stats/random.js'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'
import { callRecord } from '../testing-records.js'

const id = 'prediction-holds-four-in-five'
const PER_BLOCK = 200
/** Four in five of a normal distribution lie so many deviations around its middle. */
const FOUR_IN_FIVE = 1.2816

interface Options {
  /** Factor on the width of the intervals. */
  readonly width?: number
  /** Factor on the predictions and their intervals. */
  readonly bias?: number
  /** Every call gets the spread of all times. */
  readonly knowsNothingOfTheCall?: boolean
  /** Deviation of the error behind so many calls, milliseconds. */
  readonly errorMs?: (depth: number) => number
  readonly withoutPidstat?: boolean
  readonly without?: readonly ['serverSockets']
}

function evidenceOf (options: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const usual = simulate({ pairs: 2, windowSeconds: 60, overload: 0.5, bounded: ['before', 'after'], without: options.without ?? [] })
  const blocks = usual.plan.blocks.map(block => ({ ...block, condition: 'on' }))
  const draft = { ...usual.plan, experiment: 'prediction', claims: [id], design: 'sweep' as const, blocks, conditions: [{ id: 'on', title: 'with admission', policies: ['admission'], knobs: [], factors: {} }] }
  return {
    ...usual,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, usual.manifest) },
    blocks: usual.blocks.map(block => predicted({ ...block, evidence: { ...block.evidence, plan: { ...block.evidence.plan, condition: 'on' }, serverCommandLine: ['llama-server', '-t', '1'] } }, options))
  }
}

/** Its load replaced by calls that were predicted: a third met no line, the others up to five calls, each 300 ms longer. */
function predicted (block: Block, { width = 1, bias = 1, knowsNothingOfTheCall = false, errorMs = depth => 40 + 30 * depth, withoutPidstat = false }: Options): Block {
  const { judgedFromMs, judgedToMs, plan: { index } } = block.evidence
  const random = seededRandom(index)
  const records: CallRecord[] = []
  const calls = Array.from({ length: PER_BLOCK }, (_, seq): CallSample => {
    const sentMs = judgedFromMs + (seq + 0.5) / PER_BLOCK * (judgedToMs - judgedFromMs)
    const depth = Math.max(0, seq % 9 - 3)
    const predictedMs = 400 + 300 * depth
    const ttftMs = predictedMs + errorMs(depth) * normal(random)
    const half = FOUR_IN_FIVE * errorMs(depth) * width
    const interval = knowsNothingOfTheCall ? [345, 1610] as const : [bias * predictedMs - half, bias * predictedMs + half] as const
    const weirId = `${index}-${seq}`
    records.push(record(weirId, sentMs, ttftMs, { queueWaitMs: 0, queued: depth, predictedTtftMs: bias * predictedMs, predictedTtftLowMs: interval[0], predictedTtftHighMs: interval[1] }))
    return { phase: 'load', seq, cls: 'short', intendedMs: sentMs, sentMs, weirId, firstMs: sentMs + ttftMs, lastMs: sentMs + ttftMs + 100, doneMs: sentMs + ttftMs + 100, status: 200, outcome: 'answered', chunks: 8, itlMs: Array<number>(7).fill(14) }
  })
  const pidstat = { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: 850 * (judgedToMs - judgedFromMs), voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 }
  return { ...block, calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls], records, ...(withoutPidstat ? {} : { tools: { pidstat } }) }
}

function record (id: string, arrivedAtMs: number, ttftMs: number, facts: Record<string, number>): CallRecord {
  return callRecord({
    id,
    arrivedAtMs,
    admittedAtMs: arrivedAtMs,
    firstByteAtMs: arrivedAtMs + ttftMs,
    overAtMs: arrivedAtMs + ttftMs + 100,
    decisions: [{ policy: 'admission', mode: 'on', verdict: 'pass', reason: '', queueWaitMs: 0, workMs: 0, facts, steps: [] }]
  })
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: intervals of the right width that say nothing of the call', async t => {
  const found = judged({ knowsNothingOfTheCall: true })
  t.match(legs(found), { application: 'holds', control: 'fails' }, 'four in five of all times are inside, too')
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('intervals that are too wide or too narrow, and predictions that are too short', async t => {
  t.equal(judged({ width: 2 }).application.status, 'fails')
  t.equal(judged({ width: 0.5 }).application.status, 'fails')
  t.equal(judged({ bias: 0.7 }).application.status, 'fails')
})

t.test('errors that do not grow with the line, and intervals that are right in the mean alone, have another mechanism', async t => {
  t.same(legs(judged({ errorMs: () => 100 })), { ...all, mechanism: 'fails' })
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({ withoutPidstat: true })), { ...all, os: 'missing' })
  t.same(legs(judged({ without: ['serverSockets'] })), { ...all, os: 'missing' })
  const evidence = evidenceOf()
  t.match(legs(claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, records: [] })) })), { application: 'missing', control: 'missing', mechanism: 'missing' })
  t.equal(claim({ ...evidence, blocks: evidence.blocks.slice(0, 1) }).application.status, 'missing', '200 calls do not tell 80 % from 70')
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})
