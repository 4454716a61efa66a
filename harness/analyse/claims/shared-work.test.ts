import t from 'tap'
import type { CallRecord } from '../../../policies/contract.js'
import { makeTrace } from '../../load/trace.js'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan, WorkloadClass } from '../../types.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { all, claim, legs } from './testing.js'
import { callRecord } from '../testing-records.js'

interface Sharing {
  readonly policy: 'response-cache' | 'single-flight'
  readonly classes: readonly WorkloadClass[]
  /** Whether the policy does anything in `after`. */
  readonly works: boolean
  /** Work per token of the machine itself in `after`. */
  readonly machine: number
  /** Calls with a prompt of their own get an answer of others, too. */
  readonly wrong: boolean
  /** Every tenth call that gets an answer of another one gets one of another prompt. */
  readonly mixedUp?: boolean
  /** One of fifty is asked upstream once more. */
  readonly twice?: boolean
  /** All prompts have one answer. */
  readonly alike?: boolean
  /** One call in each block has no answer; the first of fifty leaves. */
  readonly lost?: boolean
  readonly leaves?: boolean
  readonly without: 'records' | 'cpu' | 'closed loop' | 'predictions' | 'nothing'
}

const zipf: WorkloadClass = { name: 'short', promptWords: 32, maxTokens: 8, share: 0.8, prompts: { pool: 20, zipf: 1 } }
const unique: WorkloadClass = { name: 'unique', promptWords: 32, maxTokens: 8, share: 0.2 }
const fifty: WorkloadClass = { name: 'short', promptWords: 32, maxTokens: 8, share: 1, together: { calls: 50, prompt: 'one' } }
const cached: Sharing = { policy: 'response-cache', classes: [zipf, unique], works: true, machine: 1, wrong: false, without: 'nothing' }
const coalesced: Sharing = { ...cached, policy: 'single-flight', classes: [fifty] }
const ids = { 'response-cache': 'response-cache-saves-repeated-work', 'single-flight': 'single-flight-asks-once' } as const
const upstreamMs = 400
const tokens = 8
const usecPerToken = 9_000

/** A light load in front of a server that takes as long for each call as for any other; what is shared costs it nothing. */
function evidenceOf (sharing: Sharing): Evidence {
  const base = simulate({ pairs: 8, overload: 0.5 })
  const workload = { ...base.plan.workload, kind: 'open-loop' as const, classes: sharing.classes, ratePerSecond: sharing.policy === 'single-flight' ? 0.2 : 4, ttftLimitMs: { short: 1_500, unique: 1_500 } }
  const drafted: OpenLoopPlan = { ...base.plan, experiment: sharing.policy, workload, claims: [ids[sharing.policy]], predictions: [] }
  const predictions = sharing.without === 'predictions' ? [] : claimEntry(ids[sharing.policy]).predictions(drafted, base.manifest)
  const plan: OpenLoopPlan = { ...drafted, predictions, conditions: [{ id: 'before', title: 'without', policies: [], knobs: [], factors: {} }, { id: 'after', title: 'with', policies: [sharing.policy], knobs: [], factors: {}, baseline: 'before' }] }
  return { ...base, plan, blocks: base.blocks.map(block => blockOf(block, plan, sharing)) }
}

function blockOf (block: Block, plan: OpenLoopPlan, sharing: Sharing): Block {
  const { workload } = plan
  const { condition, traceSeed } = block.evidence.plan
  const { loadFromMs, judgedFromMs, judgedToMs } = block.evidence
  const factor = condition === 'after' ? sharing.machine : 1
  const seen = new Set<string>()
  const records: CallRecord[] = []
  let worked = 0
  const work: Array<{ readonly atMs: number, readonly usec: number }> = []
  const calls = makeTrace({ ...workload, seed: traceSeed, seconds: workload.rampSeconds + workload.windowSeconds }).map((entry): CallSample => {
    const key = `${entry.cls} ${entry.promptSeed}`
    const own = entry.cls === 'unique'
    const again = sharing.twice === true && entry.seq % 50 === 7
    const shared = condition === 'after' && sharing.works && !again && (seen.has(key) || (own && sharing.wrong))
    seen.add(key)
    const intendedMs = loadFromMs + entry.atMs
    const follows = sharing.policy === 'single-flight'
    // In turns of four, without sharing: the last of fifty waits long.
    const { together } = workload.classes[0] ?? {}
    const turn = together === undefined || (together.prompt === 'one' && condition === 'after' && sharing.works) ? 0 : Math.floor((entry.seq % 50) / 4)
    const firstMs = intendedMs + (shared && !follows ? 3 : 100 + turn * upstreamMs)
    const endMs = firstMs + (shared && !follows ? 1 : upstreamMs)
    if (!shared) {
      worked += tokens * usecPerToken * factor
      work.push({ atMs: firstMs, usec: worked })
    }
    const weirId = `${block.evidence.plan.index}-${entry.seq}`
    records.push(callRecord({
      id: weirId,
      arrivedAtMs: intendedMs,
      overAtMs: endMs,
      ...(shared ? {} : { admittedAtMs: intendedMs }),
      decisions: condition === 'before' ? [] : [{ policy: sharing.policy, verdict: shared ? (follows ? 'follow' : 'serve') : 'pass', reason: '', queueWaitMs: 0, workMs: 0, mode: 'on', facts: {}, steps: [] }]
    }))
    const gapMs = (endMs - firstMs) / (tokens - 1)
    const answerHash = shared && sharing.mixedUp === true && entry.seq % 10 === 3 ? 'of another prompt' : sharing.alike === true ? 'ok' : key
    const left = sharing.leaves === true && entry.seq % 50 === 0
    if (left || (sharing.lost === true && entry.seq === 20)) {
      return { phase: 'load', seq: entry.seq, cls: entry.cls, intendedMs, sentMs: intendedMs, doneMs: intendedMs + 50, outcome: 'unanswered', ...(left ? { reason: 'left' } : {}), chunks: 0, itlMs: [], weirId }
    }
    return { phase: 'load', seq: entry.seq, cls: entry.cls, intendedMs, sentMs: intendedMs, headersMs: firstMs, firstMs, lastMs: endMs, doneMs: endMs, status: 200, outcome: 'answered', chunks: tokens, itlMs: Array<number>(tokens - 1).fill(gapMs), outputTokens: tokens, answerHash, weirId }
  })
  const closed = block.calls.filter(({ phase }) => phase === 'capacity')
  const samples = block.samples.map(sample => {
    const { process } = sample
    if (process === undefined) return sample
    const inLoad = sample.atMs >= judgedFromMs && sample.atMs <= judgedToMs
    const cpuUsec = inLoad ? work.findLast(({ atMs }) => atMs <= sample.atMs)?.usec ?? 0 : process.cpuUsec * factor
    return { ...sample, process: { ...process, cpuUsec } }
  })
  const bare = sharing.without === 'cpu' ? samples.map(({ process: _, ...rest }) => rest) : samples
  const closedLoops = sharing.without === 'closed loop' ? [] : block.evidence.closedLoops ?? []
  return { ...block, evidence: { ...block.evidence, closedLoops }, calls: [...closed, ...calls], samples: bare, records: sharing.without === 'records' ? [] : records }
}

const judged = (sharing: Sharing): Claim => claim(evidenceOf(sharing))

t.test('supported where the work is shared', async t => {
  for (const sharing of [cached, coalesced]) {
    const found = judged(sharing)
    t.same(legs(found), all, sharing.policy)
    t.equal(found.status, 'SUPPORTED', JSON.stringify(found, undefined, 1))
  }
})

t.test('where nothing can be shared: predicted to be equivalent, and it is', async t => {
  for (const sharing of [{ ...cached, classes: [{ ...unique, share: 1 }] }, { ...coalesced, classes: [{ ...fifty, together: { calls: 50, prompt: 'each' as const } }] }]) {
    const found = judged(sharing)
    t.same(legs(found), all, sharing.policy)
    t.match(found.statement, /changes nothing/)
    t.equal(judged({ ...sharing, machine: 1.3 }).status, 'UNSUPPORTED', 'unless the machine was another one')
  }
})

t.test('sabotage: same label, the policy does nothing', async t => {
  for (const sharing of [cached, coalesced]) {
    const found = judged({ ...sharing, works: false })
    t.equal(found.status, 'UNSUPPORTED', sharing.policy)
    t.match(legs(found), { os: 'fails', mechanism: 'fails' })
    t.not(found.application.status, 'holds')
  }
})

t.test('sabotage: a machine that needs less for each token explains it as well', async t => {
  for (const sharing of [cached, coalesced]) t.match(legs(judged({ ...sharing, machine: 0.6 })), { control: 'fails' }, sharing.policy)
})

t.test('sabotage: answers for calls that nobody asked before', async t => {
  t.match(legs(judged({ ...cached, wrong: true })), { control: 'fails', mechanism: 'fails' })
})

t.test('sabotage: an answer of another prompt, an answer too few, a call upstream too many', async t => {
  for (const sharing of [cached, coalesced]) {
    t.same(legs(judged({ ...sharing, mixedUp: true })), { ...all, application: 'fails' }, sharing.policy)
    t.same(legs(judged({ ...sharing, lost: true })), { ...all, application: 'fails' }, sharing.policy)
  }
  t.same(legs(judged({ ...cached, alike: true })), { ...all, control: 'fails' }, 'where all answers are alike, none can be seen to be wrong')
  t.same(legs(judged({ ...coalesced, twice: true })), { ...all, mechanism: 'fails' })
})

t.test('any of them may leave, also the one whose call went upstream', async t => {
  t.same(legs(judged({ ...coalesced, leaves: true })), all)
})

t.test('each leg taken away alone', async t => {
  for (const sharing of [cached, coalesced]) {
    for (const [without, leg] of [['records', 'mechanism'], ['cpu', 'os'], ['closed loop', 'control'], ['predictions', 'application']] as const) {
      const found = judged({ ...sharing, without })
      t.equal(found.status, 'UNSUPPORTED', `${sharing.policy} without ${without}`)
      t.equal(legs(found)[leg], 'missing', `${sharing.policy} without ${without}`)
    }
  }
})
