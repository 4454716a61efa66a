import type { OpenLoopPlan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { cpuUsecPerAnswer } from '../cpu-per-answer.js'
import { ofCondition, pairsOf } from '../gate.js'
import { ratio } from '../ratio.js'
import { openLoopEntryOf } from './checked-claim.js'
import { contrastCheck, type Band } from './checks.js'
import type { OpenLoopDraft } from './contract.js'
import { unbounded } from './leg.js'
import { withToWithout } from './open-loop-checks.js'
import { LOAD } from './sources.js'

/** Up to here a request to the tiny model is taken to cost much beside its tokens, from `ABOVE_WORDS` on next to nothing; where between them the crossover is, the experiments find out. */
const TINY_WORDS = 4
const ABOVE_WORDS = 64
/** Least gain for them, and least that it takes longer where it should; and most that batching may cost anywhere. */
const GAIN = 1.1
const COST = 0.97
const MACHINE = 1.1
/** Of the capacity: below this hardly a call meets another one. */
const LIGHT = 0.2
/** Of sums of about sixty numbers below 1: what another order of additions changes is a thousandth of it. */
const ROUNDING = 1e-3

type Expected = 'light' | 'gains' | 'between' | 'same' | 'forced'

const statements: Readonly<Record<Expected, string>> = {
  light: 'At light load calls hardly meet, and batching changes nothing',
  gains: 'Tiny inputs that are asked at one time are embedded faster as one call, because what a request costs beside its tokens is paid once',
  between: 'Near the crossover, inputs are joined where that is predicted to be faster, and batching costs nothing',
  same: 'Above the crossover, inputs go alone, and batching costs nothing',
  forced: 'Joined all the same, inputs above the crossover wait for each other, and llama-server is spared nothing by it'
}

const explanation = 'llama-server makes a task of each input of an array, so joining calls saves nothing of the computation: only what each request costs beside its tokens (HTTP, its own turn through the queue, its own decode call). ' +
  'That is much of what four words cost the tiny model, and next to nothing of what sixty-four do. The gateway measures both ways for each length, and joins only where that is faster.'

/** What the plan's own load and options say before the run. */
function expected ({ workload, conditions, calibration }: OpenLoopDraft): Expected {
  if (workload.workers === undefined && workload.ratePerSecond < LIGHT * calibration.capacityPerSecond) return 'light'
  if (conditions.some(({ policyOptions }) => policyOptions?.['batching']?.['when'] === 'always')) return 'forced'
  const longest = Math.max(...workload.classes.map(({ promptWords }) => typeof promptWords === 'number' ? promptWords : promptWords.median))
  return longest <= TINY_WORDS ? 'gains' : longest < ABOVE_WORDS ? 'between' : 'same'
}

const SAME: Band = [1 / MACHINE, MACHINE]
const records = 'the gateway’s records'

interface Table {
  /** Where clients ask again when they are answered: of the embeddings answered in a second. Where the load sets those: of the median time to an embedding. */
  readonly application: { readonly rate: Band } | { readonly time: Band }
  readonly cpu: Band
  /** Absent: where both ways are right, each decision must go the one that was predicted. */
  readonly upstream?: Band
}

const tables: Readonly<Record<Expected, Table>> = {
  light: { application: { time: SAME }, cpu: SAME, upstream: [0.9, 1] },
  gains: { application: { rate: [GAIN, unbounded] }, cpu: [0, 1 / GAIN], upstream: [0, 0.7] },
  between: { application: { rate: [COST, unbounded] }, cpu: [0, 1 / COST] },
  same: { application: { rate: [COST, unbounded] }, cpu: [1 / MACHINE, 1 / COST], upstream: [0.9, 1] },
  forced: { application: { time: [GAIN, unbounded] }, cpu: SAME, upstream: [0, 0.9] }
}

/** What is claimed follows from how long the inputs are, and from whether they are joined in any case. */
export const batching = openLoopEntryOf('batching-joins-tiny-inputs', draft => {
  const expects = expected(draft)
  const { application, cpu, upstream } = tables[expects]
  return {
    statement: statements[expects],
    explanation,
    application: [
      'time' in application
        ? contrastCheck('ttft-answered-p50', 'ratio', { id: 'ttft-answered-p50-after-to-before', what: 'median time to an embedding, after ÷ before', source: LOAD, band: () => application.time })
        : contrastCheck('tokens-per-second', 'ratio', { id: 'answers-per-second-after-to-before', what: 'embeddings answered per second, after ÷ before', source: LOAD, band: () => application.rate })
    ],
    os: [{ id: 'server-cpu-per-answer-after-to-before', metric: 'server-cpu-per-answer', what: 'CPU time of llama-server per answer, after ÷ before', source: 'pidstat', ...withToWithout(cpuUsecPerAnswer), band: () => cpu }],
    control: [
      contrastCheck('closed-loop-cpu-per-token', 'ratio', { id: 'closed-loop-cpu-per-answer-after-to-before', what: 'CPU time per embedding in the closed loops of a block, after ÷ before: the machine is the same', source: '/proc/PID/stat and load generator', band: () => SAME }),
      { id: 'embeddings-that-differ', metric: 'embeddings', what: `embeddings of the same input that differ (sums of their numbers by more than ${ROUNDING})`, source: LOAD, value: differingVectors, band: () => [0, 0] },
      { id: 'prompt-tokens-per-answer-after-to-before', metric: 'prompt-tokens-per-answer', what: 'prompt tokens per answer, by the usage that each caller is told, after ÷ before', source: 'load generator (usage)', ...withToWithout(promptTokensPerAnswer), band: () => [0.98, 1.02] }
    ],
    mechanism: [
      upstream === undefined
        ? { id: 'calls-as-predicted', metric: 'calls-upstream', what: 'calls that went the way that was predicted to be faster ÷ calls with a prediction; the others learn', source: records, value: asPredicted, band: () => [0.85, 1] }
        : { id: 'calls-upstream-per-answer', metric: 'calls-upstream', what: 'calls upstream ÷ answers, with batching', source: records, value: views => upstreamPerAnswer(ofCondition(views, 'after')), band: () => upstream },
      { id: 'calls-upstream-per-answer-before', metric: 'calls-upstream', what: 'without it', source: records, value: views => upstreamPerAnswer(ofCondition(views, 'before')), band: () => [1, 1] }
    ]
  }
})

/** Of the judged calls that were answered; null when one does not say. */
function promptTokensPerAnswer ({ judged }: OpenLoopView): number | null {
  const tokens = judged.filter(({ outcome }) => outcome === 'answered').map(({ promptTokens }) => promptTokens)
  if (tokens.length === 0 || tokens.includes(undefined)) return null
  return tokens.reduce<number>((sum, each) => sum + (each ?? 0), 0) / tokens.length
}

/** Of the judged calls that were answered: those whose own call went upstream; null when one has no record. */
function upstreamPerAnswer (views: readonly OpenLoopView[]): number | null {
  const went = views.flatMap(({ block, judged }) => {
    const admitted = new Map(block.records.map(({ id, admittedAtMs }) => [id, admittedAtMs !== undefined]))
    return judged.filter(({ outcome }) => outcome === 'answered').map(({ weirId }) => admitted.get(weirId ?? ''))
  })
  return went.length === 0 || went.includes(undefined) ? null : went.filter(one => one === true).length / went.length
}

/**
 * Of the calls with a batching decision that had learned both ways, the share that went the one that was predicted to be faster: into a batch (alone in it where nobody came in its window) where the
 * gain is at least `minGain`, alone where it is less; the others learn. A decision counts for all calls that went with it: those that join a batch have no prediction of their own. Null when nothing
 * was learned, or the experiment does not say what is enough.
 */
function asPredicted (views: readonly OpenLoopView[], { conditions }: OpenLoopPlan): number | null {
  const minGain = conditions.find(({ id }) => id === 'after')?.policyOptions?.['batching']?.['minGain']
  if (typeof minGain !== 'number') return null
  let [right, all] = [0, 0]
  for (const { block: { records } } of ofCondition(views, 'after')) {
    for (const { policy, facts: { predictedGain, batchCalls } } of records.flatMap(({ decisions }) => decisions)) {
      if (policy !== 'batching' || predictedGain === undefined) continue
      const calls = Number(batchCalls ?? 1)
      all += calls
      if ((batchCalls !== undefined) === (Number(predictedGain) >= minGain)) right += calls
    }
  }
  return ratio(right, all)
}

/** Inputs of a pair's two blocks are the same, call by call. Null when no call was answered in both. */
function differingVectors (views: readonly OpenLoopView[]): number | null {
  const both = pairsOf(views, 'before', 'after').flatMap(({ a, b }) => {
    const before = new Map(a.block.calls.filter(({ phase }) => phase === 'load').map(({ seq, vectorSum }) => [seq, vectorSum]))
    return b.block.calls.filter(({ phase }) => phase === 'load').flatMap(({ seq, vectorSum }) => {
      const other = before.get(seq)
      return vectorSum === undefined || other === undefined ? [] : [Math.abs(vectorSum - other)]
    })
  })
  return both.length === 0 ? null : both.filter(difference => difference > ROUNDING).length
}
