import t from 'tap'
import type { CallRecord } from '../../../policies/contract.js'
import type { Block, CallSample, Claim, Evidence, OpenLoopPlan } from '../../types.js'
import { analyse } from '../analyse.js'
import { simulate, type SimulationOptions } from '../testing.js'
import { callRecord } from '../testing-records.js'
import { claimEntry } from './index.js'
import { all, claim, legs, needsEveryPrediction } from './testing.js'

const PER_CLASS = 24
const classes = [{ name: 'short', tokens: 100 }, { name: 'middle', tokens: 200 }, { name: 'long', tokens: 400 }] as const
const OUTPUT_TOKENS = 8
const limitMs = { short: 450, middle: 850, long: 1_900 }
/** With it a call of the closed loop, of 70 and 8 tokens, is an eighth of a second, as it takes there. */
const serviceTime = { msPerCall: 5, msPerPromptToken: 1, msPerOutputToken: 6.25 }

interface Arm {
  /** Of the 24 calls of each class in a block. */
  readonly good: Readonly<Record<'short' | 'middle' | 'long', number>>
  /** TTFT ÷ limit of good calls at most. */
  readonly upTo: number
  /** The other calls are answered late; else refused. */
  readonly late: boolean
  /** Of the refused ones every so many is refused for balance. */
  readonly balanceEvery: number
}

// 9.8 s of work in 10 s.
const balanced: Arm = { good: { short: 10, middle: 11, long: 12 }, upTo: 0.9, late: false, balanceEvery: 4 }
const direct: Arm = { good: { short: 0, middle: 1, long: 9 }, upTo: 0.9, late: true, balanceEvery: Infinity }

interface Options {
  readonly before?: Partial<Arm>
  readonly after?: Partial<Arm>
  readonly withoutRecords?: boolean
  readonly withoutServiceTime?: boolean
  readonly base?: Partial<SimulationOptions>
}

function evidenceOf ({ before = {}, after = {}, withoutRecords = false, withoutServiceTime = false, base = {} }: Options = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const id = 'admission-serves-all-lengths'
  const usual = simulate({ pairs: 8, windowSeconds: 10, ...base })
  const workload = { ...usual.plan.workload, classes: classes.map(({ name, tokens }) => ({ name, promptWords: tokens, maxTokens: OUTPUT_TOKENS, share: 1 / 3 })), ttftLimitMs: limitMs }
  const draft = { ...usual.plan, experiment: 'admission-unequal', claims: [id], workload, calibration: { ...usual.plan.calibration, ...(withoutServiceTime ? {} : { serviceTime }) } }
  const arm = ({ evidence }: Block): Arm => evidence.plan.condition === 'after' ? { ...balanced, ...after } : { ...direct, ...before }
  return {
    ...usual,
    plan: { ...draft, predictions: claimEntry(id).predictions(draft, usual.manifest) },
    blocks: usual.blocks.map(block => loaded(block, arm(block), withoutRecords))
  }
}

/** Its load replaced by one of three lengths; the closed loop and the samples stay. */
function loaded (block: Block, arm: Arm, withoutRecords: boolean): Block {
  const { judgedFromMs, judgedToMs, plan: { index } } = block.evidence
  const records: CallRecord[] = []
  let refused = 0
  const calls = classes.flatMap(({ name, tokens }, cls) => Array.from({ length: PER_CLASS }, (_, i): CallSample => {
    const seq = i * classes.length + cls
    const intendedMs = judgedFromMs + seq / PER_CLASS / classes.length * (judgedToMs - judgedFromMs - 2_500)
    const common = { phase: 'load', seq, cls: name, intendedMs, sentMs: intendedMs, weirId: `${index}-${seq}` } as const
    const good = i < arm.good[name]
    if (!good && !arm.late) {
      records.push(callRecord({ id: common.weirId, outcome: 'refused', reason: refused++ % arm.balanceEvery === 0 ? 'balance' : 'deadline', arrivedAtMs: intendedMs, overAtMs: intendedMs + 1 }))
      return { ...common, doneMs: intendedMs + 2, status: 429, outcome: 'refused', chunks: 0, itlMs: [] }
    }
    const firstMs = intendedMs + limitMs[name] * (good ? arm.upTo * (i + 1) / PER_CLASS : 3)
    return { ...common, firstMs, lastMs: firstMs + 70, doneMs: firstMs + 70, status: 200, outcome: 'answered', chunks: OUTPUT_TOKENS, itlMs: Array<number>(OUTPUT_TOKENS - 1).fill(10), promptTokens: tokens, outputTokens: OUTPUT_TOKENS }
  }))
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity').map(call => ({ ...call, promptTokens: 70 })), ...calls],
    records: withoutRecords ? [] : records
  }
}

const judged = (options?: Options): Claim => claim(evidenceOf(options))

t.test('all four legs hold: supported', async t => {
  const found = judged()
  t.same(legs(found), all, JSON.stringify(found))
  t.equal(found.status, 'SUPPORTED')
})

t.test('answers count by their work, and both arms are told', async t => {
  const shares = analyse(evidenceOf(), { cells: false }).contrasts.filter(({ metric }) => metric === 'good-work-per-capacity')
  t.same(shares.map(({ id }) => id), ['good-work-per-capacity', 'good-work-per-capacity-before'])
  t.ok(Math.abs((shares[0]?.ratio ?? 0) - 0.98) < 0.05, `with: ${shares[0]?.ratio}`)
  t.notOk(analyse(evidenceOf({ withoutServiceTime: true }), { cells: false }).contrasts.some(({ metric }) => metric === 'good-work-per-capacity'), 'where lengths do not differ there is no such figure')
})

t.test('each length is told in the figures', async t => {
  const { cells } = analyse(evidenceOf(), { cells: true })
  const mean = (condition: string, metric: string): number => Number(cells.find(cell => cell.condition === condition && cell.metric === metric)?.mean?.toFixed(2))
  t.same(['good-share-of-short', 'good-share-of-middle', 'good-share-of-long', 'good-share'].map(metric => [mean('before', metric), mean('after', metric)]), [[0, 0.42], [0.04, 0.46], [0.38, 0.5], [0.14, 0.46]])
})

t.test('sabotage: same label, cause removed: the line fills with long calls', async t => {
  const found = judged({ after: { good: { short: 3, middle: 9, long: 15 }, balanceEvery: Infinity } })
  t.same(legs(found), { ...all, application: 'fails', mechanism: 'fails' })
  t.equal(found.status, 'UNSUPPORTED')
  t.match(legs(claim(evidenceOf({ base: { bounded: [] } }))), { os: 'fails', mechanism: 'fails' }, 'the queue is llama-server’s as before')
})

t.test('each promise alone can break it', async t => {
  t.equal(judged({ after: { good: { short: 14, middle: 10, long: 9 } } }).application.status, 'fails', 'many answers, little work')
  t.equal(judged({ after: { upTo: 2.4 } }).application.status, 'fails', 'answered beyond the limit')
  t.equal(judged({ before: { good: { short: 9, middle: 9, long: 9 } } }).application.status, 'fails', 'no length was worse off without')
  t.equal(judged({ after: { good: { short: 8, middle: 11, long: 13 } } }).application.status, 'fails', 'a length behind the others')
  t.equal(judged({ base: { cpuFactor: 0.7 } }).control.status, 'fails', 'a faster machine')
})

t.test('each source removed alone: its leg is missing, the claim unsupported', async t => {
  for (const [options, leg] of [
    [{ withoutServiceTime: true }, 'application'],
    [{ withoutRecords: true }, 'mechanism'],
    [{ base: { without: ['serverSockets'] } }, 'os'],
    [{ base: { without: ['process'] } }, 'control'],
    [{ base: { without: ['requestsDeferred'] } }, 'mechanism']
  ] satisfies Array<[Options, string]>) {
    const found = judged(options)
    t.same(legs(found), { ...all, [leg]: 'missing' }, JSON.stringify(options))
    t.equal(found.status, 'UNSUPPORTED')
  }
})

t.test('what was not predicted before the run does not count', async t => {
  needsEveryPrediction(t, evidenceOf())
})

t.test('below the capacity it says equivalent, and a load that was above it is found out', async t => {
  const light: Options = { before: { ...balanced, good: { short: 23, middle: 23, long: 22 }, late: true }, after: { good: { short: 22, middle: 23, long: 22 } }, base: { overload: 0.3 } }
  const evidence = evidenceOf(light)
  t.same(legs(claim(evidence)), all, JSON.stringify(claim(evidence)))
  t.equal(analyse(evidence, { cells: false }).contrasts[0]?.verdict, 'equivalent')
  t.match(legs(claim({ ...evidenceOf(), plan: evidence.plan })), { application: 'fails', mechanism: 'fails' }, 'under overload')
  t.equal(claim(evidenceOf({ ...light, after: { good: { short: 15, middle: 16, long: 15 } } })).application.status, 'fails', 'it refuses without need')
})
