import type { Claim, Contrast, Leg, OpenLoopPlan, Prediction } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { cpuUsecPerAnswer } from '../cpu-per-answer.js'
import { ofCondition, pairsOf } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { ratio } from '../ratio.js'
import type { ClaimEntry, PlanDraft } from './contract.js'
import { withToWithout } from './open-loop-claim.js'
import { allOf, bandLeg, contrastLeg, predictionOf, unbounded } from './leg.js'

/** Up to here a request to the tiny model is taken to cost much beside its tokens, from `ABOVE_WORDS` on next to nothing; where between them the crossover is, the experiments find out. */
const TINY_WORDS = 4
const ABOVE_WORDS = 64
/** Least gain for them, and most that batching may cost anywhere. */
const GAIN = 1.1
const COST = 0.97
const MACHINE = 1.1
/** Of the capacity: below this hardly a call meets another one. */
const LIGHT = 0.2
/** Of sums of about sixty numbers below 1: what another order of additions changes is a thousandth of it. */
const ROUNDING = 1e-3

const ids = {
  rate: 'answers-per-second-after-to-before',
  cpu: 'server-cpu-per-answer-after-to-before',
  machine: 'closed-loop-cpu-per-answer-after-to-before',
  length: 'prompt-tokens-per-answer-after-to-before',
  ttft: 'ttft-answered-p50-after-to-before',
  upstream: 'calls-upstream-per-answer',
  upstreamBefore: 'calls-upstream-per-answer-before',
  asPredicted: 'decisions-as-predicted',
  vectors: 'embeddings-that-differ'
} as const

type Expected = 'light' | 'gains' | 'between' | 'same' | 'forced'

const statements: Readonly<Record<Expected, string>> = {
  light: 'At light load calls hardly meet, and batching changes nothing',
  gains: 'Tiny inputs that are asked at one time are embedded faster as one call, because what a request costs beside its tokens is paid once',
  between: 'Near the crossover, inputs are joined where that is predicted to be faster, and batching costs nothing',
  same: 'Above the crossover, inputs go alone, and batching costs nothing',
  forced: 'Joined all the same, inputs above the crossover are embedded no faster, but slower'
}

const explanation = 'llama-server makes a task of each input of an array, so joining calls saves nothing of the computation: only what each request costs beside its tokens (HTTP, its own turn through the queue, its own decode call). ' +
  'That is much of what four words cost the tiny model, and next to nothing of what sixty-four do. The gateway measures both ways for each length, and joins only where that is faster.'

/** What the plan's own load and options say before the run. */
function expected ({ workload, conditions, calibration }: PlanDraft): Expected {
  if (workload.kind === 'open-loop' && 'capacityPerSecond' in calibration && workload.workers === undefined && workload.ratePerSecond < LIGHT * calibration.capacityPerSecond) return 'light'
  const forced = conditions.some(({ policyOptions }) => policyOptions?.['batching']?.['when'] === 'always')
  const words = workload.kind === 'open-loop' ? workload.classes.map(({ promptWords }) => typeof promptWords === 'number' ? promptWords : promptWords.median) : []
  if (forced) return 'forced'
  const longest = Math.max(...words)
  return longest <= TINY_WORDS ? 'gains' : longest < ABOVE_WORDS ? 'between' : 'same'
}

const same = { lo: 1 / MACHINE, hi: MACHINE }

const bands: Readonly<Record<Expected, ReadonlyArray<Pick<Prediction, 'id' | 'metric' | 'statement' | 'lo' | 'hi'>>>> = {
  light: [
    { id: ids.ttft, metric: 'ttft-answered-p50', statement: 'equivalent: the median time to an embedding is within a tenth', ...same },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs the same CPU time for each', ...same },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'next to none go with others', lo: 0.9, hi: 1 }
  ],
  gains: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at least ${GAIN} times as many embeddings a second`, lo: GAIN, hi: unbounded },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs as much less CPU time for each', lo: 0, hi: 1 / GAIN },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'most go with others: at most 0.7 calls upstream for an answer', lo: 0, hi: 0.7 }
  ],
  between: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at least ${COST} times as many embeddings a second`, lo: COST, hi: unbounded },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs no more CPU time for each', lo: 0, hi: 1 / COST },
    { id: ids.asPredicted, metric: 'calls-upstream', statement: 'most decisions go the way that was predicted to be faster; the others learn', lo: 0.85, hi: 1 }
  ],
  same: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at least ${COST} times as many embeddings a second`, lo: COST, hi: unbounded },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs the same CPU time for each', lo: 1 / MACHINE, hi: 1 / COST },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'next to none go with others, but to learn what that costs', lo: 0.9, hi: 1 }
  ],
  forced: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at most ${COST} times as many embeddings a second`, lo: 0, hi: COST },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs as much more CPU time for each', lo: 1 / COST, hi: unbounded },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'most go with others: at most 0.7 calls upstream for an answer', lo: 0, hi: 0.7 }
  ]
}

export const batching: ClaimEntry = {
  id: 'batching-joins-tiny-inputs',
  predictions: draft => [
    ...bands[expected(draft)],
    { id: ids.upstreamBefore, metric: 'calls-upstream', statement: 'without batching every call goes upstream', lo: 1, hi: 1 },
    { id: ids.machine, metric: 'closed-loop-cpu-per-token', statement: 'the machine is the same on both sides: CPU time per embedding of the closed loops of a block', ...same },
    { id: ids.vectors, metric: 'embeddings', statement: 'of the inputs that were embedded on both sides, so many have another vector, but for rounding', lo: 0, hi: 0 },
    { id: ids.length, metric: 'prompt-tokens-per-answer', statement: 'the inputs are as long on both sides, by the usage that each caller is told', lo: 0.98, hi: 1.02 }
  ],
  claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf(plan, openLoop, contrasts)] : []
}

function claimOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const leg = (statement: string, source: string, value: number | null, id: string): Leg => bandLeg(statement, source, value, predictionOf(plan, id))
  const ofContrast = (statement: string, source: string, metric: string, id: string): Leg => contrastLeg(statement, source, contrasts.find(contrast => contrast.id === metric), 'ratio', predictionOf(plan, id))
  const afterToBefore = (statement: string, source: string, of: (view: OpenLoopView) => number | null, id: string): Leg => {
    const { value, compared } = withToWithout(of)
    return bandLeg(statement, source, value(views, plan, contrasts), predictionOf(plan, id), compared(views, plan, contrasts))
  }
  const records = 'the gateway’s records'
  const legs = {
    application: expected(plan) === 'light' ? ofContrast('median time to an embedding, after ÷ before', 'load generator (calls.ndjson)', 'ttft-answered-p50', ids.ttft) : ofContrast('embeddings answered per second, after ÷ before', 'load generator (calls.ndjson)', 'tokens-per-second', ids.rate),
    os: afterToBefore('CPU time of llama-server per answer, after ÷ before', 'pidstat', cpuUsecPerAnswer, ids.cpu),
    control: allOf([
      ofContrast('CPU time per embedding in the closed loop, after ÷ before', '/proc/PID/stat and load generator', 'closed-loop-cpu-per-token', ids.machine),
      leg(`embeddings of the same input that differ (sums of their numbers by more than ${ROUNDING})`, 'load generator (calls.ndjson)', differingVectors(views), ids.vectors),
      afterToBefore('prompt tokens per answer, after ÷ before', 'load generator (usage)', promptTokensPerAnswer, ids.length)
    ]),
    mechanism: allOf([
      expected(plan) === 'between'
        ? leg('decisions that went the way that was predicted to be faster ÷ decisions with a prediction', records, asPredicted(views, plan), ids.asPredicted)
        : leg('calls upstream ÷ answers, with batching', records, upstreamPerAnswer(ofCondition(views, 'after')), ids.upstream),
      leg('without', records, upstreamPerAnswer(ofCondition(views, 'before')), ids.upstreamBefore)
    ])
  }
  return {
    id: batching.id,
    statement: statements[expected(plan)],
    predicted: (predictionOf(plan, ids.rate) ?? predictionOf(plan, ids.ttft))?.statement ?? 'nothing was predicted before the run',
    status: Object.values(legs).every(({ status }) => status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED',
    ...legs,
    explanation
  }
}

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
 * Of the batching decisions that had learned both ways, the share that went the one that was predicted to be faster: into a batch (alone in it where nobody came in its window) where the gain is
 * at least `minGain`, alone where it is less; the others learn. Null when nothing was learned, or the experiment does not say what is enough.
 */
function asPredicted (views: readonly OpenLoopView[], { conditions }: OpenLoopPlan): number | null {
  const minGain = conditions.find(({ id }) => id === 'after')?.policyOptions?.['batching']?.['minGain']
  if (typeof minGain !== 'number') return null
  const decided = ofCondition(views, 'after').flatMap(({ block: { records } }) => records.flatMap(({ decisions }) => decisions.filter(({ policy, facts }) => policy === 'batching' && facts['predictedGain'] !== undefined)))
  return ratio(decided.filter(({ facts }) => (facts['batchCalls'] !== undefined) === (Number(facts['predictedGain']) >= minGain)).length, decided.length)
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
