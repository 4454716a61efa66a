import t from 'tap'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan, WorkloadClass } from '../../types.js'
import { seededRandom } from '../../stats/random.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { fairParts } from './fair-figures.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const id = 'fair-shares-hold'
const saturatedId = 'fair-shares-of-a-full-server'
/** As in bench/experiments/fair.json. */
const OTHERS = ['a', 'b', 'c', 'd', 'e', 'f']
const classes: WorkloadClass[] = [
  ...OTHERS.map(name => ({ name, promptWords: 12, maxTokens: 2, share: 1 / OTHERS.length, caller: name })),
  { name: 'greedy', promptWords: 12, maxTokens: 2, share: 0, caller: 'greedy', interference: true }
]
const WINDOW_SECONDS = 36
/** Of a simulated server that answers 8 a second. */
const OTHERS_PER_SECOND = 0.66 * 8
const FROM_SECONDS = 20

interface Arm {
  /** TTFT of a call that waits for nobody; before the greedy caller comes, calls arrive two by two. */
  readonly aloneMs: number
  /** That serve those two. */
  readonly places: 1 | 2
  readonly besideMs: number
  /** Answers of the greedy caller ÷ those of each of the others. */
  readonly greedyTimes: number
  /** So many of the first caller's calls are answered. */
  readonly firstServed: number
  /** Of the others' calls beside the greedy one, those that have no answer. */
  readonly lostShare: number
  readonly cpus: number
  readonly sockets: number
  readonly withoutPidstat: boolean
  readonly withoutTimings: boolean
}

const shared: Arm = { aloneMs: 100, places: 1, besideMs: 210, greedyTimes: 2.5, firstServed: 1, lostShare: 0, cpus: 0.95, sockets: 3, withoutPidstat: false, withoutTimings: false }
const asTheyCame: Arm = { ...shared, besideMs: 6_000, greedyTimes: 6, lostShare: 0.4 }

interface Options {
  readonly before?: Partial<Arm>
  readonly after?: Partial<Arm>
  readonly quiet?: boolean
  /** All callers from the start, each with more than its share. */
  readonly saturated?: boolean
  readonly cpuFactor?: number
  readonly without?: readonly ('process' | 'serverSockets')[]
}

function evidenceOf ({ before = {}, after = {}, quiet = false, saturated = false, cpuFactor = 1, without = [] }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const simulated = simulate({ pairs: 3, windowSeconds: WINDOW_SECONDS, overload: 0.66, cpuFactor, without })
  const ours = quiet ? classes.slice(0, -1) : classes
  const workload = { ...simulated.plan.workload, classes: ours, ttftLimitMs: Object.fromEntries(ours.map(({ name }) => [name, 1_500])), ...(quiet || saturated ? {} : { burst: { ratePerSecond: OTHERS_PER_SECOND / OTHERS.length * 10, fromSeconds: FROM_SECONDS, seconds: 15, shares: { greedy: 1 } } }) }
  const conditions = simulated.plan.conditions.map(condition => ({ ...condition, policyOptions: { admission: {} } }))
  const draft = { ...simulated.plan, experiment: 'fair', claims: [saturated ? saturatedId : id], quiet, workload, conditions }
  const arm = ({ evidence }: Block): Arm => evidence.plan.condition === 'after' ? { ...shared, ...after } : { ...(quiet ? shared : asTheyCame), ...before }
  return {
    ...simulated,
    plan: { ...draft, predictions: claimEntry(saturated ? saturatedId : id).predictions(draft, simulated.manifest) },
    blocks: simulated.blocks.map(block => loaded(block, arm(block), quiet, saturated))
  }
}

/** Its load replaced by calls of callers that are served as its arm says. */
function loaded (block: Block, arm: Arm, quiet: boolean, saturated: boolean): Block {
  const { evidence: { loadFromMs, judgedFromMs, judgedToMs, plan } } = block
  const random = seededRandom(plan.traceSeed)
  const comesMs = quiet ? Infinity : saturated ? judgedFromMs : loadFromMs + FROM_SECONDS * 1000
  const calls: CallSample[] = []
  const varied = (ms: number): number => ms * (0.7 + 0.6 * random())
  const add = (cls: string, intendedMs: number, ttftMs: number, answered: boolean): void => {
    const base = { phase: 'load', seq: calls.length, cls, intendedMs, sentMs: intendedMs + 0.2, chunks: 0, itlMs: [] } as const
    const firstMs = intendedMs + ttftMs
    calls.push(answered ? { ...base, firstMs, lastMs: firstMs + 10, doneMs: firstMs + 10, status: 200, outcome: 'answered', chunks: 2, itlMs: [10], promptTokens: 24, outputTokens: 2, ...(arm.withoutTimings ? {} : { promptMs: arm.aloneMs - 5, predictedMs: 10 }) } : { ...base, doneMs: intendedMs + 30_000, outcome: 'unanswered' })
  }
  for (let atMs = judgedFromMs, n = 0; atMs < judgedToMs; atMs += 1000 / OTHERS_PER_SECOND, n++) {
    const beside = atMs >= comesMs
    const cls = OTHERS[n % OTHERS.length] ?? ''
    const ttftMs = beside ? varied(arm.besideMs) : n % 2 === 1 && arm.places === 1 ? 2 * arm.aloneMs + 10 : arm.aloneMs
    add(cls, beside || n % 2 === 0 ? atMs : atMs - 1000 / OTHERS_PER_SECOND, ttftMs, !(beside && Math.floor(n / OTHERS.length) % 10 < 10 * arm.lostShare) && !(cls === 'a' && n % 10 >= 10 * arm.firstServed))
  }
  if (!quiet) {
    const greedyPerSecond = arm.greedyTimes * OTHERS_PER_SECOND / OTHERS.length
    for (let atMs = comesMs; atMs < judgedToMs; atMs += 1000 / greedyPerSecond) add('greedy', atMs, varied(arm.besideMs), true)
  }
  const samples = block.samples.map(sample => sample.serverSockets === undefined ? sample : { ...sample, serverSockets: arm.sockets })
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls],
    samples,
    ...(arm.withoutPidstat ? {} : { tools: { pidstat: { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: arm.cpus * 1000 * (judgedToMs - judgedFromMs), voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 } } })
  }
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: fair in name only', async t => {
  const found = judged({ after: asTheyCame })
  t.same(legs(found), { application: 'fails', os: 'holds', control: 'holds', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('sabotage: the caller was not greedy', async t => {
  t.same(legs(judged({ before: shared })), { ...all, mechanism: 'fails' })
})

t.test('calls of the others that get no answer count as later than any', async t => {
  t.equal(judged({ after: { lostShare: 0.1 } }).application.status, 'fails')
})

t.test('a wait, or a part of the tokens, that is not what is claimed', async t => {
  t.same(legs(judged({ after: { besideMs: 260 } })), { ...all, application: 'fails' })
  t.same(legs(judged({ after: { greedyTimes: 7 } })), { ...all, mechanism: 'fails' })
  t.match(legs(judged({ after: { greedyTimes: 4, lostShare: 0.4 } })), { application: 'fails' }, 'the others get less than they ask for')
})

t.test('rivals: another machine, more than one served at once, a queue in llama-server', async t => {
  t.same(legs(judged({ cpuFactor: 0.8 })), { ...all, control: 'fails' })
  t.same(legs(judged({ after: { places: 2, besideMs: 100 } })), { ...all, control: 'fails' })
  t.equal(judged({ after: { sockets: 30 } }).os.status, 'fails')
  t.equal(judged({ after: { cpus: 0.7 } }).os.status, 'fails')
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({ after: { withoutPidstat: true } })), { ...all, os: 'missing' })
  t.same(legs(judged({ without: ['serverSockets'] })), { ...all, os: 'missing' })
  t.same(legs(judged({ without: ['process'] })), { ...all, control: 'missing' })
  t.same(legs(judged({ after: { withoutTimings: true } })), { ...all, control: 'missing' })
  const evidence = evidenceOf()
  t.match(legs(claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.filter(({ phase }) => phase === 'capacity') })) })), { application: 'missing', mechanism: 'missing' })
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('among equal callers it changes nothing, and that is judged, too', async t => {
  const found = judged({ quiet: true })
  t.same(legs(found), all)
  t.equal(found.id, `${id}-quiet`)
  t.equal(judged({ quiet: true, after: { aloneMs: 150 } }).application.status, 'fails', 'it has a price')
  t.equal(judged({ quiet: true, after: { firstServed: 0.1 } }).application.status, 'fails', 'one was served less')
})

t.test('where all ask for more than their share the tokens themselves are alike', async t => {
  const saturated = (options: Options = {}): Claim => judged({ saturated: true, ...options, before: { ...(options.quiet === true ? {} : { greedyTimes: 4, lostShare: 0.6 }), ...options.before }, after: { greedyTimes: 1, ...options.after } })
  const found = saturated()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
  t.match(legs(saturated({ after: { greedyTimes: 10 } })), { application: 'fails', mechanism: 'fails' }, 'sabotage: fair in name only')
  t.same(legs(saturated({ before: { greedyTimes: 1 } })), { ...all, mechanism: 'fails' }, 'sabotage: the caller was not greedy')
  t.same(legs(saturated({ cpuFactor: 0.8 })), { ...all, control: 'fails' })
  t.same(legs(saturated({ quiet: true })), all)
})

t.test('a fair part is what a caller asks for, or an equal one of what is left', async t => {
  t.same(fairParts(new Map([['a', 10], ['greedy', 1000], ['b', 40]]), 100), new Map([['a', 10], ['b', 40], ['greedy', 50]]))
  t.same(fairParts(new Map([['a', 60], ['b', 90]]), 100), new Map([['a', 50], ['b', 50]]))
  t.equal(fairParts(new Map([['a', 0], ['b', 90]]), 100), null)
})
