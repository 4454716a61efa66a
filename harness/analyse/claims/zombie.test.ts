import t from 'tap'
import type { CallRecord } from '../../../policies/contract.js'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan, SlotStay } from '../../types.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'
import { callRecord } from '../testing-records.js'

const id = 'zombies-keep-their-places'
const PER_BLOCK = 40
/** The clock of the log behind that of the process's launch, milliseconds. */
const LOG_BEGINS_MS = 37

interface Arm {
  readonly leaveEvery: number
  /** From a client's leaving to the release of its slot. */
  readonly zombieMs: number
  /** Factor of the gateway's count on what the log says. */
  readonly counted: number
  readonly sendToHeadersMs: number
  readonly closeWait: number
  readonly answeredShare: number
  readonly logLosesATask: boolean
}

const kept: Arm = { leaveEvery: 3, zombieMs: 900, counted: 1.04, sendToHeadersMs: 60, closeWait: 0.33, answeredShare: 1, logLosesATask: false }
const givenBack: Arm = { ...kept, sendToHeadersMs: 600 }
const nobodyLeaves: Arm = { ...kept, leaveEvery: Infinity, closeWait: 0 }

interface Options {
  readonly before?: Partial<Arm>
  readonly after?: Partial<Arm>
  readonly quiet?: boolean
  readonly cpuFactor?: number
  readonly without?: readonly 'process'[]
}

function evidenceOf ({ before = {}, after = {}, quiet = false, cpuFactor = 1, without = [] }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const usual = simulate({ pairs: 8, windowSeconds: 10, cpuFactor, without })
  const draft = { ...usual.plan, experiment: 'zombie', claims: [id], quiet }
  const arm = ({ evidence }: Block): Arm => evidence.plan.condition === 'after' ? { ...(quiet ? nobodyLeaves : kept), ...after } : { ...(quiet ? nobodyLeaves : givenBack), ...before }
  return {
    ...usual,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, usual.manifest) },
    blocks: usual.blocks.map(block => loaded(block, arm(block)))
  }
}

/** Its load replaced by calls of which some are left in prefill; the closed loop and the samples of the process stay. */
function loaded (block: Block, arm: Arm): Block {
  const { evidence } = block
  const { judgedFromMs, judgedToMs, loadFromMs, drainedAtMs, plan: { index } } = evidence
  const launchedMs = loadFromMs - 12_000
  const [records, calls, slotStays]: [CallRecord[], CallSample[], SlotStay[]] = [[], [], [{ task: 1, fromMs: 500, toMs: 11_500 }]]
  let wastedMs = 0
  for (let seq = 0; seq < PER_BLOCK; seq++) {
    const sentMs = judgedFromMs + (seq + 0.5) / PER_BLOCK * (judgedToMs - judgedFromMs)
    const headersMs = sentMs + arm.sendToHeadersMs
    const left = (seq + 1) % arm.leaveEvery === 0
    const answered = !left && seq % 100 < 100 * arm.answeredShare
    const overAtMs = left ? headersMs + 150 : headersMs + 500
    const toMs = left ? overAtMs + arm.zombieMs : overAtMs
    if (left) wastedMs += arm.zombieMs
    slotStays.push({ task: 10 + seq, fromMs: headersMs - launchedMs - LOG_BEGINS_MS, toMs: toMs - launchedMs - LOG_BEGINS_MS })
    const weirId = `${index}-${seq}`
    calls.push({ phase: 'load', seq, cls: 'short', intendedMs: sentMs, sentMs, weirId, headersMs, doneMs: overAtMs, ...(left ? { outcome: 'unanswered', reason: 'left', chunks: 0, itlMs: [] } : { firstMs: headersMs + 300, lastMs: overAtMs, outcome: answered ? 'answered' : 'failed', chunks: 8, itlMs: Array<number>(7).fill(50) }) })
    records.push(callRecord({ id: weirId, ...(left ? { outcome: 'left', reason: 'client-left' } : {}), arrivedAtMs: sentMs, admittedAtMs: sentMs, upstreamHeadersAtMs: headersMs, overAtMs }))
  }
  if (arm.logLosesATask) slotStays.pop()
  // A count every two or three seconds that is right in the mean.
  let owed = 0
  const samples = block.samples.map(sample => {
    if (sample.atMs < judgedFromMs) return sample
    owed += arm.closeWait
    const serverSocketsCloseWait = Math.round(owed)
    owed -= serverSocketsCloseWait
    return { ...sample, serverSocketsCloseWait }
  })
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls],
    records,
    samples,
    slotStays,
    evidence: { ...evidence, drainedAtMs, serverStart: { launchedMs, readyMs: launchedMs + 400 }, slotSecondsWasted: arm.counted * wastedMs / 1000 }
  }
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: places were given back in both', async t => {
  const found = judged({ after: { sendToHeadersMs: 600 } })
  t.same(legs(found), { ...all, mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: nobody left', async t => {
  const found = judged({ before: { ...nobodyLeaves }, after: nobodyLeaves })
  t.match(legs(found), { application: 'missing', os: 'missing', control: 'missing', mechanism: 'fails' })
})

t.test('a count that is not what the log says, or that the kernel does not see', async t => {
  t.same(legs(judged({ after: { counted: 1.2 } })), { ...all, application: 'fails' })
  t.same(legs(judged({ before: { closeWait: 0 }, after: { closeWait: 0 } })), { ...all, os: 'fails' })
})

t.test('rivals: fewer left, fewer answers, another machine', async t => {
  t.equal(judged({ after: { leaveEvery: 6, closeWait: 0.17 } }).control.status, 'fails')
  t.equal(judged({ cpuFactor: 0.8 }).control.status, 'fails')
  t.equal(judged({ after: { answeredShare: 0.1 } }).application.status, 'fails')
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({ without: ['process'] })), { ...all, control: 'missing' })
  t.same(legs(judged({ after: { logLosesATask: true } })), { ...all, application: 'missing', mechanism: 'missing' }, 'a log that does not match the records is no measure')
  const evidence = evidenceOf()
  const without = (change: (block: Block) => Block): Claim => claim({ ...evidence, blocks: evidence.blocks.map(change) })
  t.same(legs(without(({ slotStays, ...block }) => block)), { ...all, application: 'missing', mechanism: 'missing' })
  t.same(legs(without(block => ({ ...block, samples: block.samples.map(({ serverSocketsCloseWait, ...sample }) => sample) }))), { ...all, os: 'missing' })
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('where nobody leaves it changes nothing, and that is judged, too', async t => {
  const found = judged({ quiet: true })
  t.same(legs(found), all)
  t.equal(found.id, `${id}-quiet`)
  t.equal(judged({ quiet: true, after: { answeredShare: 0.3 } }).application.status, 'fails', 'it has a price')
  t.equal(judged({ quiet: true, after: { closeWait: 0.6 } }).os.status, 'fails', 'somebody left')
})
