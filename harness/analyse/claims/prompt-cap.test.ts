import t from 'tap'
import type { CallRecord } from '../../../policies/contract.js'
import { seededRandom } from '../../stats/random.js'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'
import { callRecord } from '../testing-records.js'

const id = 'prompt-cap-protects-the-rest'
const classes = [{ name: 'short', promptWords: 32, maxTokens: 16, share: 0.95 }, { name: 'oversize', promptWords: 640, maxTokens: 16, share: 0.05, interference: true }]
const PER_BLOCK = 40
/** Tokens of a prompt beside its words. */
const TEMPLATE = 12

interface Arm {
  /** TTFT of a call within the cap, in the middle. */
  readonly ttftMs: number
  readonly refuses: boolean
  readonly refusalMs: number
  /** Before its refusal a call went through admission. */
  readonly refusedAfterAdmission: boolean
  readonly cpuUsecPerAnswer: number
  /** Of the calls within the cap, every so many is refused. */
  readonly restRefusedEvery: number
  readonly withoutCounters: boolean
  readonly withoutPidstat: boolean
}

const light: Arm = { ttftMs: 400, refuses: true, refusalMs: 9, refusedAfterAdmission: false, cpuUsecPerAnswer: 250_000, restRefusedEvery: Infinity, withoutCounters: false, withoutPidstat: false }
const burdened: Arm = { ...light, ttftMs: 2500, refuses: false, cpuUsecPerAnswer: 430_000 }

interface Options {
  readonly before?: Partial<Arm>
  readonly after?: Partial<Arm>
  readonly quiet?: boolean
  readonly pairs?: number
  readonly cpuFactor?: number
}

function evidenceOf ({ before = {}, after = {}, quiet = false, pairs = 8, cpuFactor = 1 }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const usual = simulate({ pairs, windowSeconds: 10, cpuFactor })
  const workload = { ...usual.plan.workload, classes: quiet ? classes.slice(0, 1) : classes, ttftLimitMs: { short: 1600, oversize: 1600 } }
  const draft = { ...usual.plan, experiment: 'prompt-cap', claims: [id], quiet, workload, calibration: { ...usual.plan.calibration, unloadedTtftMs: 200 } }
  const arm = (block: Block): Arm => block.evidence.plan.condition === 'after' ? { ...light, ...after } : quiet ? { ...light, ...before } : { ...burdened, ...before }
  return {
    ...usual,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, usual.manifest) },
    blocks: usual.blocks.map(block => loaded(block, arm(block), quiet))
  }
}

/** Its load replaced by one of short and long prompts; the closed loop stays. */
function loaded (block: Block, arm: Arm, quiet: boolean): Block {
  const { evidence } = block
  const { judgedFromMs, judgedToMs, plan: { index, traceSeed } } = evidence
  const random = seededRandom(traceSeed)
  const records: CallRecord[] = []
  const calls = Array.from({ length: PER_BLOCK }, (_, seq): CallSample => {
    const isLong = !quiet && seq % 20 === 7
    const intendedMs = judgedFromMs + (seq + 0.5) / PER_BLOCK * (judgedToMs - judgedFromMs)
    const base = { phase: 'load', seq, cls: isLong ? 'oversize' : 'short', intendedMs, sentMs: intendedMs + 0.2, weirId: `${index}-${seq}` } as const
    const refused = (isLong && arm.refuses) || (!isLong && (seq + 1) % arm.restRefusedEvery === 0)
    if (refused) {
      records.push(refusal(base.weirId, intendedMs, arm))
      return { ...base, doneMs: base.sentMs + arm.refusalMs, status: 400, outcome: 'refused', reason: 'prompt-cap', chunks: 0, itlMs: [] }
    }
    const firstMs = intendedMs + arm.ttftMs * (0.5 + random() + index / 1000)
    return { ...base, firstMs, lastMs: firstMs + 300, doneMs: firstMs + 300, status: 200, outcome: 'answered', chunks: 16, itlMs: Array<number>(15).fill(20), promptTokens: (isLong ? 640 : 32) + TEMPLATE }
  })
  const served = calls.reduce((sum, { promptTokens = 0 }) => sum + promptTokens, 0)
  const rest = calls.filter(({ cls, outcome }) => cls === 'short' && outcome === 'answered').length
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls],
    records,
    evidence: { ...evidence, ...(arm.withoutCounters ? {} : { serverCountersAtStart: { prompt_tokens_total: 1000 }, serverCountersAtEnd: { prompt_tokens_total: 1000 + served } }) },
    ...(arm.withoutPidstat ? {} : { tools: { pidstat: { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: arm.cpuUsecPerAnswer * rest, voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 } } })
  }
}

function refusal (id: string, arrivedAtMs: number, { refusedAfterAdmission }: Arm): CallRecord {
  const decision = { mode: 'on', verdict: 'pass', reason: '', queueWaitMs: 0, workMs: 0, facts: {}, steps: [] } as const
  return callRecord({
    id,
    status: 400,
    outcome: 'refused',
    reason: 'prompt-cap',
    arrivedAtMs,
    overAtMs: arrivedAtMs + 5,
    queueWaitMs: refusedAfterAdmission ? 700 : 0,
    decisions: [...refusedAfterAdmission ? [{ ...decision, policy: 'admission', steps: [] }] : [], { ...decision, policy: 'prompt-cap', verdict: 'refuse', steps: [] }],
    gauges: { places: 4, taken: 4, queued: 3 }
  })
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: the cap was on in name only', async t => {
  const found = judged({ after: burdened })
  t.match(legs(found), { application: 'missing', os: 'fails', mechanism: 'missing' }, 'nothing was refused')
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: no prompt was long', async t => {
  const found = judged({ before: { ...light, refuses: true } })
  t.match(legs(found), { application: 'fails', os: 'fails', mechanism: 'fails' })
})

t.test('a refusal that waited, or that had a place, is not what is claimed', async t => {
  t.same(legs(judged({ after: { refusalMs: 450 } })), { ...all, application: 'fails' })
  t.same(legs(judged({ after: { refusedAfterAdmission: true } })), { ...all, mechanism: 'fails' })
})

t.test('rivals: the others are fewer, or the machine is faster', async t => {
  t.same(legs(judged({ after: { restRefusedEvery: 10 } })), { ...all, control: 'fails' })
  t.same(legs(judged({ cpuFactor: 0.8 })), { ...all, control: 'fails' })
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({ after: { withoutCounters: true } })), { ...all, mechanism: 'missing' })
  t.same(legs(judged({ before: { withoutPidstat: true } })), { ...all, os: 'missing' })
  const evidence = evidenceOf()
  t.match(legs(claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, records: [] })) })), { application: 'missing', mechanism: 'missing' })
  t.match(legs(claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, samples: [] })) })), { application: 'holds', control: 'missing' })
  t.equal(judged({ pairs: 3 }).application.status, 'missing', 'three pairs have no interval that counts')
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('with a cap above every prompt it changes nothing, and that is judged, too', async t => {
  const found = judged({ quiet: true })
  t.same(legs(found), all)
  t.equal(found.id, `${id}-quiet`)
  t.same(legs(judged({ quiet: true, after: { ttftMs: 480 } })), { ...all, application: 'fails' }, 'it has a price')
  t.match(legs(judged({ quiet: true, after: { restRefusedEvery: 10 } })), { control: 'fails' }, 'the cap was not above every prompt')
})
