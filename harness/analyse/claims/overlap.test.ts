import t from 'tap'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { simulate, type SimulationOptions } from '../testing.js'
import { callRecord } from '../testing-records.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const id = 'overlap-fills-slots'

interface Options {
  /** Tokens that a step wrote with it; without it eight in nine of four. */
  readonly tokensPerDecode?: number
  /** Of ten calls, those sent at another one's last token. */
  readonly overlapping?: { readonly before?: number, readonly after?: number }
  /** Of its load every third call is refused. */
  readonly loses?: boolean
  readonly withoutCounters?: boolean
  readonly withoutRecords?: boolean
  readonly base?: Partial<SimulationOptions>
}

function evidenceOf ({ tokensPerDecode = 4, overlapping: { before = 0, after = 8 } = {}, loses = false, withoutCounters = false, withoutRecords = false, base = {} }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const usual = simulate({ pairs: 8, windowSeconds: 10, bounded: ['before', 'after'], ...base })
  const draft = { ...usual.plan, experiment: 'overlap', claims: [id] }
  const told = (block: Block): Block => {
    const isAfter = block.evidence.plan.condition === 'after'
    const counters = { serverCountersAtStart: { tokens_predicted_total: 100, n_decode_total: 90 }, serverCountersAtEnd: { tokens_predicted_total: 100 + 900 * (isAfter ? tokensPerDecode : 4 * 8 / 9), n_decode_total: 990 } }
    const records = Array.from({ length: 10 }, (_, call) => callRecord({
      id: String(call),
      arrivedAtMs: 0,
      admittedAtMs: 1,
      overAtMs: 2,
      decisions: [{ policy: 'admission', verdict: 'pass', reason: 'its turn', queueWaitMs: 1, workMs: 0, mode: 'on', facts: call < (isAfter ? after : before) ? { overlaps: 1 } : {}, steps: [] }]
    }))
    const calls = block.calls.map((call): CallSample => loses && isAfter && call.phase === 'load' && call.seq % 3 === 0 ? { ...call, status: 429, outcome: 'refused', reason: 'deadline' } : call)
    return { ...block, calls, evidence: withoutCounters ? block.evidence : { ...block.evidence, ...counters }, records: withoutRecords ? [] : records }
  }
  return { ...usual, plan: { ...draft, predictions: claimEntry(id).predictions(draft, usual.manifest) }, blocks: usual.blocks.map(told) }
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all, JSON.stringify(found))
  t.equal(found.status, 'SUPPORTED')
})

t.test('sabotage: same label, cause removed: steps are as full as before, and nobody was sent at a last token', async t => {
  const found = judged({ tokensPerDecode: 4 * 8 / 9, overlapping: { after: 0 } })
  t.same(legs(found), { ...all, mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
})

t.test('each promise alone can break it', async t => {
  t.equal(judged({ tokensPerDecode: 4 * 1.1 }).mechanism.status, 'fails', 'more than a step for each answer is not its doing')
  t.equal(judged({ overlapping: { before: 1 } }).mechanism.status, 'fails', 'the other arm did it, too')
  t.equal(judged({ loses: true }).application.status, 'fails', 'answers are lost by it')
  t.match(legs(judged({ base: { bounded: ['before'] } })), { os: 'fails', mechanism: 'fails' }, 'calls wait inside llama-server')
  t.equal(judged({ base: { cpuFactor: 0.7 } }).control.status, 'fails', 'a faster machine')
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  for (const [options, missing] of [
    [{ withoutCounters: true }, ['mechanism']],
    [{ withoutRecords: true }, ['mechanism']],
    [{ base: { without: ['serverSockets'] } }, ['os']],
    [{ base: { without: ['process'] } }, ['os', 'control']],
    [{ base: { without: ['requestsDeferred'] } }, ['mechanism']]
  ] satisfies Array<[Options, string[]]>) {
    const found = judged(options)
    t.same(legs(found), { ...all, ...Object.fromEntries(missing.map(leg => [leg, 'missing'])) }, JSON.stringify(options))
    t.equal(found.status, 'UNSUPPORTED')
  }
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('below the capacity it changes nothing', async t => {
  const found = judged({ base: { overload: 0.3 }, overlapping: { after: 0 }, tokensPerDecode: 4 * 8 / 9 })
  t.same(legs(found), all, JSON.stringify(found))
  t.match(found.statement, /changes nothing/)
})
