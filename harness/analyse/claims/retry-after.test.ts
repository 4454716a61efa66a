import t from 'tap'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate } from '../testing.js'
import { analyse } from '../analyse.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const id = 'retry-after-is-kept'
const WINDOW_SECONDS = 64
const BURST = { ratePerSecond: 32, fromSeconds: 6, seconds: 10, shares: { short: 1 } }
/** Of a block's calls: so many in the burst, so many evenly over the rest. */
const [IN_BURST, OUTSIDE] = [60, 60]

interface Arm {
  /** Second tries are made after this many seconds, by the place in the burst (0 to 1). */
  readonly waitSeconds: (part: number) => number
  readonly servedShare: number
  /** From the second try to the first token. */
  readonly ttftMs: number
  readonly cameBackShare: number
  readonly cpus: number
  readonly answeredOutside: number
  readonly refusesOutside: boolean
  readonly withoutPidstat: boolean
}

const told: Arm = { waitSeconds: part => 1 + 44 * part, servedShare: 0.97, ttftMs: 500, cameBackShare: 1, cpus: 0.97, answeredOutside: 1, refusesOutside: false, withoutPidstat: false }
const constant: Arm = { ...told, waitSeconds: () => 1, servedShare: 0.1, cpus: 0.68 }
const usual: Arm = { ...told, cpus: 0.6 }

interface Options {
  readonly before?: Partial<Arm>
  readonly after?: Partial<Arm>
  readonly quiet?: boolean
  readonly cpuFactor?: number
  readonly without?: readonly 'process'[]
}

function evidenceOf ({ before = {}, after = {}, quiet = false, cpuFactor = 1, without = [] }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const simulated = simulate({ pairs: 2, windowSeconds: WINDOW_SECONDS, overload: 0.6, cpuFactor, without })
  const workload = { ...simulated.plan.workload, ...(quiet ? {} : { burst: BURST }) }
  const draft = { ...simulated.plan, experiment: 'retry-after', claims: [id], quiet, workload }
  const arm = ({ evidence }: Block): Arm => evidence.plan.condition === 'after' ? { ...(quiet ? usual : told), ...after } : { ...(quiet ? usual : constant), ...before }
  return {
    ...simulated,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, simulated.manifest) },
    blocks: simulated.blocks.map(block => loaded(block, arm(block), quiet))
  }
}

/** Its load replaced by calls that are answered, and by those of a burst, all of which come a second time. */
function loaded (block: Block, arm: Arm, quiet: boolean): Block {
  const { evidence: { judgedFromMs, judgedToMs, loadFromMs } } = block
  const calls: CallSample[] = []
  const base = (seq: number, intendedMs: number) => ({ phase: 'load', seq, cls: 'short', intendedMs, sentMs: intendedMs + 0.2, chunks: 0, itlMs: [] } as const)
  const answered = (firstMs: number) => ({ firstMs, lastMs: firstMs + 300, doneMs: firstMs + 300, status: 200, outcome: 'answered', chunks: 8, itlMs: Array<number>(7).fill(40) } as const)
  for (let seq = 0; seq < OUTSIDE; seq++) {
    const intendedMs = judgedFromMs + (seq + 0.5) / OUTSIDE * (judgedToMs - judgedFromMs)
    const refused = seq >= OUTSIDE * arm.answeredOutside || (arm.refusesOutside && seq % 5 === 0)
    calls.push({ ...base(seq, intendedMs), ...(refused ? { doneMs: intendedMs + 3, outcome: 'refused' } : answered(intendedMs + 200)) })
  }
  for (let i = 0; i < (quiet ? 0 : IN_BURST); i++) {
    const part = (i + 0.5) / IN_BURST
    const intendedMs = loadFromMs + 1000 * (BURST.fromSeconds + part * BURST.seconds)
    const first = { sentMs: intendedMs + 0.2, doneMs: intendedMs + 3, status: 429, reason: 'queue-full', retryAfterSeconds: 1 }
    const sample = base(OUTSIDE + i, intendedMs)
    if (i >= IN_BURST * arm.cameBackShare) {
      calls.push({ ...sample, doneMs: first.doneMs, outcome: 'refused' })
      continue
    }
    const lastSentMs = first.doneMs + arm.waitSeconds(part) * 1000
    const isServed = (i * 7 % IN_BURST) < IN_BURST * arm.servedShare
    calls.push({ ...sample, refusals: [first], lastSentMs, ...(isServed ? answered(lastSentMs + arm.ttftMs) : { doneMs: lastSentMs + 3, outcome: 'refused' }) })
  }
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls],
    ...(arm.withoutPidstat ? {} : { tools: { pidstat: { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: arm.cpus * 1000 * (judgedToMs - judgedFromMs), voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 } } })
  }
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: clients were told a second, all of them', async t => {
  const found = judged({ after: constant })
  t.same(legs(found), { application: 'missing', os: 'fails', control: 'holds', mechanism: 'fails' }, 'too few were served for a p95 of their times')
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: they were told when to come, and nothing was kept for them', async t => {
  t.same(legs(judged({ after: { servedShare: 0.7 } })), { ...all, application: 'fails' })
})

t.test('served late, or put off beyond the end of the load, is not what is claimed', async t => {
  t.same(legs(judged({ after: { ttftMs: 1_800 } })), { ...all, application: 'fails' })
  t.same(legs(judged({ after: { cameBackShare: 0.8 } })), { ...all, application: 'fails' })
})

t.test('rivals: the burst was harmless, or the machine another one', async t => {
  t.same(legs(judged({ before: { servedShare: 0.9 } })), { ...all, control: 'fails' })
  t.same(legs(judged({ cpuFactor: 0.8 })), { ...all, control: 'fails' })
  t.equal(judged({ after: { cpus: 0.68 } }).os.status, 'fails', 'the server did no more')
  t.equal(judged({ before: { cpus: 0.96 } }).os.status, 'fails', 'nor less without')
  t.equal(judged({ after: { cpus: 0.8 } }).os.status, 'fails', 'more than without, and yet idle')
})

t.test('waits that the mechanism does not explain', async t => {
  t.equal(judged({ after: { waitSeconds: part => 1 + 15 * part } }).mechanism.status, 'fails', 'too short for what came')
  t.equal(judged({ before: { waitSeconds: () => 2 } }).mechanism.status, 'fails')
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({ after: { withoutPidstat: true } })), { ...all, os: 'missing' })
  t.same(legs(judged({ without: ['process'] })), { ...all, control: 'missing' })
  const evidence = evidenceOf()
  const nobodyBack = claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.filter(({ refusals }) => refusals === undefined) })) })
  t.match(legs(nobodyBack), { application: 'missing', mechanism: 'missing' })
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('without a burst it changes nothing, and that is judged, too', async t => {
  const found = judged({ quiet: true })
  t.same(legs(found), all)
  t.equal(found.id, `${id}-quiet`)
  t.equal(judged({ quiet: true, after: { answeredOutside: 0.7 } }).application.status, 'fails', 'it has a price')
  t.equal(judged({ quiet: true, after: { refusesOutside: true } }).mechanism.status, 'fails', 'many were refused')
})

t.test('a burst is no drift, and no longer ramp is asked for', async t => {
  t.notOk(analyse(evidenceOf(), { cells: false }).warnings.some(warning => warning.includes('longer ramp')))
})
