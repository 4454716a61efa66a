import t from 'tap'
import type { Block, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate } from '../testing.js'
import { callRecord } from '../testing-records.js'
import { claimEntry } from './index.js'
import { all, claim, legs } from './testing.js'

const id = 'batching-joins-tiny-inputs'

interface Run {
  readonly words: number
  readonly when: 'gain' | 'always'
  /** In `after`: speed ÷ that before. Above the capacity that is answers per second, below it the time to one. */
  readonly faster: number
  /** Calls that go in the name of another one, as a share. */
  readonly joined: number
  /** Prompt tokens that callers are told, in `after`. */
  readonly tokens: number
  /** The machine of `after` itself. */
  readonly machine: number
  /** Of the vectors in `after`, every tenth is that of another input. */
  readonly mixedUp?: boolean
  /** What was predicted of the calls that are joined. */
  readonly predictedGain?: number
  /** Every third decision sends one call alone, to learn; the others send six together. */
  readonly learning?: boolean
  /** Of the capacity; absent: twice that. */
  readonly load?: number
  /** What llama-server computes in `after` ÷ before. */
  readonly cpu?: number
  readonly without: 'vectors' | 'records' | 'pidstat' | 'usage' | 'closed loop' | 'predictions' | 'nothing'
}

const tiny: Run = { words: 4, when: 'gain', faster: 1.4, joined: 0.6, tokens: 6, machine: 1, without: 'nothing' }
const above: Run = { ...tiny, words: 64, faster: 1, joined: 0 }
const forced: Run = { ...above, when: 'always', load: 0.5, joined: 0.6, faster: 0.8 }
const light: Run = { ...tiny, load: 0.05, faster: 1, joined: 0 }
const between: Run = { ...tiny, words: 16, faster: 1.05, predictedGain: 1.05 }

function evidenceOf (run: Run): Evidence {
  const overload = run.load ?? 2
  // The simulation's own speed changes the closed loop as well; there is no policy in it, so only the load is taken from the faster one.
  const base = simulate({ pairs: 8, windowSeconds: 20, blockNoise: 0.01, bounded: ['before', 'after'], overload, cpuFactor: run.machine })
  const other = simulate({ pairs: 8, windowSeconds: 20, blockNoise: 0.01, bounded: ['before', 'after'], overload, speedUp: run.faster })
  const workload = { ...base.plan.workload, kind: 'open-loop' as const, classes: [{ name: 'short', promptWords: run.words, maxTokens: 8, share: 1, embedding: true as const }] }
  const drafted: OpenLoopPlan = {
    ...base.plan,
    experiment: 'batching',
    workload,
    claims: [id],
    predictions: [],
    conditions: [{ id: 'before', title: 'alone', policies: ['admission'], knobs: [], factors: {} }, { id: 'after', title: 'joined', policies: ['batching', 'admission'], policyOptions: { batching: run.when === 'always' ? { when: 'always' } : { minGain: 1.05 } }, knobs: [], factors: {}, baseline: 'before' }]
  }
  const predictions = run.without === 'predictions' ? [] : claimEntry(id).predictions(drafted, base.manifest)
  return { ...base, plan: { ...drafted, predictions }, blocks: base.blocks.map((block, index) => blockOf(block, other.blocks[index] ?? block, run)) }
}

function blockOf (block: Block, faster: Block, run: Run): Block {
  const { plan: { condition, index }, judgedFromMs, judgedToMs } = block.evidence
  const after = condition === 'after'
  const load = (after ? faster : block).calls.filter(({ phase }) => phase === 'load')
  const calls = load.map(call => ({ ...call, weirId: `${index}-${call.seq}`, ...(run.without === 'usage' ? {} : { promptTokens: after ? run.tokens : 6 }), ...(run.without === 'vectors' ? {} : { vectorSum: Math.sin(call.seq) + (after ? 1e-5 : 0) + (after && run.mixedUp === true && call.seq % 10 === 3 ? 0.2 : 0) }) }))
  const records = calls.map(call => callRecord({
    id: call.weirId,
    arrivedAtMs: call.intendedMs,
    overAtMs: call.doneMs,
    ...(after && (call.seq * 7) % 10 < 10 * run.joined ? {} : { admittedAtMs: call.intendedMs }),
    ...(after && run.predictedGain !== undefined ? { decisions: [{ policy: 'batching', verdict: 'pass', reason: '', queueWaitMs: 0, workMs: 0, mode: 'on' as const, facts: { predictedGain: run.predictedGain, ...(run.joined > 0 && !(run.learning === true && call.seq % 3 === 0) ? { batchCalls: 6 } : {}) }, steps: [] }] } : {})
  }))
  // It computes all the time, whatever it gets done meanwhile.
  const pidstat = { fromMs: judgedFromMs + 500, toMs: judgedToMs - 500, cpuUsec: (judgedToMs - judgedFromMs - 1_000) * 1_000 * (after ? run.cpu ?? 1 : 1), voluntarySwitches: 1, involuntarySwitches: 1, minorFaults: 0, majorFaults: 0 }
  const closedLoops = run.without === 'closed loop' ? [] : block.evidence.closedLoops ?? []
  return {
    ...block,
    evidence: { ...block.evidence, closedLoops },
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls],
    records: run.without === 'records' ? [] : records,
    tools: run.without === 'pidstat' ? {} : { pidstat }
  }
}

const judged = (run: Run): Claim => claim(evidenceOf(run))

t.test('supported: faster for tiny inputs, the same above, and where it is forced', async t => {
  for (const [run, says] of [[tiny, /Tiny inputs/], [above, /go alone/], [forced, /wait for each other/], [between, /Near the crossover/], [light, /hardly meet/]] as const) {
    const found = judged(run)
    t.same(legs(found), all, JSON.stringify(found, undefined, 1))
    t.equal(found.status, 'SUPPORTED')
    t.match(found.statement, says)
  }
})

t.test('sabotage: same label, the cause removed', async t => {
  t.match(legs(judged({ ...tiny, joined: 0, faster: 1 })), { application: 'fails', os: 'fails', mechanism: 'fails' }, 'nothing is joined')
  t.match(legs(judged({ ...tiny, joined: 0 })), { mechanism: 'fails' }, 'faster, but not by joining')
  t.match(legs(judged({ ...above, faster: 0.9 })), { application: 'fails', os: 'fails' }, 'it costs something')
  t.match(legs(judged({ ...above, joined: 0.6 })), { mechanism: 'fails' }, 'joined above the crossover')
  t.same(legs(judged({ ...forced, faster: 1 })), { ...all, application: 'fails' }, 'nobody waits for anybody')
  t.same(legs(judged({ ...forced, cpu: 0.8 })), { ...all, os: 'fails' }, 'there is something to save')
  t.same(legs(judged({ ...between, predictedGain: 0.9 })), { ...all, mechanism: 'fails' }, 'joined against what was predicted')
  t.same(legs(judged({ ...between, joined: 0 })), { ...all, mechanism: 'fails' }, 'not joined though it was predicted to be faster')
  t.same(legs(judged({ ...between, predictedGain: 0.9, joined: 0 })), all, 'below the crossover or above it: as was predicted')
  t.same(legs(judged({ ...between, learning: true })), all, 'one call in thirteen learns, though it is one decision in three')
  t.match(legs(judged({ ...between, faster: 0.9 })), { application: 'fails', os: 'fails' }, 'it costs something')
  t.match(legs(judged({ ...light, joined: 0.6 })), { mechanism: 'fails' }, 'joined where nobody else was')
  t.match(legs(judged({ ...forced, joined: 0 })), { mechanism: 'fails' }, 'forced, and not joined')
})

t.test('sabotage: another machine, shorter inputs', async t => {
  for (const run of [tiny, above, forced]) {
    t.match(legs(judged({ ...run, machine: 0.7 })), { control: 'fails' })
    t.match(legs(judged({ ...run, tokens: 5 })), { control: 'fails' }, 'or a usage that is not the caller\'s')
    t.same(legs(judged({ ...run, mixedUp: true })), { ...all, control: 'fails' }, 'or vectors of other inputs')
  }
})

t.test('each leg taken away alone', async t => {
  for (const [without, leg] of [['records', 'mechanism'], ['vectors', 'control'], ['pidstat', 'os'], ['closed loop', 'control'], ['usage', 'control'], ['predictions', 'application']] as const) {
    const found = judged({ ...tiny, without })
    t.equal(found.status, 'UNSUPPORTED', without)
    t.equal(legs(found)[leg], 'missing', without)
  }
})
