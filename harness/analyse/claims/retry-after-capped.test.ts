import t from 'tap'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate } from '../testing.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const id = 'retry-after-is-capped'
const CAP = 8
const PER_BLOCK = 200

interface Arm {
  readonly longest: number
  /** Of the second tries of those that were told less, and of those that were told the longest time. */
  readonly servedWithTime: number
  readonly servedWithout: number
  readonly servedAtOnceEvery: number
  readonly sockets: number
}

const capped: Arm = { longest: CAP, servedWithTime: 1, servedWithout: 0.15, servedAtOnceEvery: 4, sockets: 5 }

function evidenceOf (given: Partial<Arm> = {}, without: readonly 'serverSockets'[] = []): Evidence & { readonly plan: OpenLoopPlan } {
  const arm = { ...capped, ...given }
  const simulated = simulate({ pairs: 1, windowSeconds: 20, without })
  const condition = { id: 'on', title: 'as told', policies: ['admission'], policyOptions: { admission: { maxRetryAfterSeconds: CAP } }, knobs: [], factors: {} }
  const blocks = simulated.plan.blocks.slice(0, 1).map(block => ({ ...block, condition: 'on' }))
  const draft = { ...simulated.plan, experiment: 'retry-after-sustained', design: 'sweep' as const, blocks, conditions: [condition], claims: [id] }
  return {
    ...simulated,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, simulated.manifest) },
    blocks: simulated.blocks.slice(0, 1).map(block => loaded({ ...block, evidence: { ...block.evidence, plan: { ...block.evidence.plan, condition: 'on' } } }, arm))
  }
}

/** Its load replaced by calls of which some are served at once and the others come again; of those every second has a time that is kept for it. */
function loaded (block: Block, arm: Arm): Block {
  const { evidence: { judgedFromMs, judgedToMs } } = block
  const calls = Array.from({ length: PER_BLOCK }, (_, seq): CallSample => {
    const intendedMs = judgedFromMs + (seq + 0.5) / PER_BLOCK * (judgedToMs - judgedFromMs)
    const base = { phase: 'load', seq, cls: 'short', intendedMs, sentMs: intendedMs + 0.2, chunks: 0, itlMs: [] } as const
    const answered = (firstMs: number) => ({ firstMs, lastMs: firstMs + 300, doneMs: firstMs + 300, status: 200, outcome: 'answered', chunks: 8, itlMs: Array<number>(7).fill(40) } as const)
    if (seq % arm.servedAtOnceEvery === 0) return { ...base, ...answered(intendedMs + 200) }
    const hasTime = seq % 2 === 1
    const seconds = hasTime ? CAP - 1 - seq % 3 : arm.longest
    const lastSentMs = intendedMs + seconds * 1000
    const isServed = (seq * 7 % 100) < 100 * (hasTime ? arm.servedWithTime : arm.servedWithout)
    return { ...base, refusals: [{ sentMs: base.sentMs, doneMs: intendedMs + 3, status: 429, reason: 'queue-full', retryAfterSeconds: seconds }], lastSentMs, ...(isServed ? answered(lastSentMs + 400) : { doneMs: lastSentMs + 3, outcome: 'refused', reason: 'queue-full', retryAfterSeconds: arm.longest }) }
  })
  // Those that are answered after the window would make it look idle: others from before it would be answered in it.
  const kept = calls.map(call => call.outcome === 'answered' ? { ...call, doneMs: Math.min(call.doneMs, judgedToMs - 1) } : call)
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...kept],
    samples: block.samples.map(sample => sample.serverSockets === undefined ? sample : { ...sample, serverSockets: arm.sockets })
  }
}

const judged = (...given: Parameters<typeof evidenceOf>): Claim => claim(evidenceOf(...given))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all)
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: nothing was kept for anybody', async t => {
  t.same(legs(judged({ servedWithTime: 0.4 })), { ...all, application: 'fails', mechanism: 'fails' }, 'and less is answered than could be')
})

t.test('sabotage: it was not capped, or the cap was never reached', async t => {
  t.equal(judged({ longest: 20 }).application.status, 'fails')
  t.equal(judged({ longest: CAP - 2 }).application.status, 'fails')
})

t.test('rivals: everybody was served, or waited in llama-server', async t => {
  t.equal(judged({ servedWithout: 1 }).control.status, 'fails')
  t.equal(judged({ sockets: 40 }).os.status, 'fails')
})

t.test('each source removed alone: its leg is missing', async t => {
  t.same(legs(judged({}, ['serverSockets'])), { ...all, os: 'missing' })
  const evidence = evidenceOf()
  t.match(legs(claim({ ...evidence, blocks: evidence.blocks.map(block => ({ ...block, calls: block.calls.filter(({ refusals }) => refusals === undefined) })) })), { application: 'missing', control: 'missing', mechanism: 'missing' })
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})
