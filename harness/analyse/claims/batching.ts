import type { Claim, Contrast, Leg, OpenLoopPlan, Prediction } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { cpuUsecPerAnswer } from '../cpu-per-answer.js'
import { ofCondition } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { ratio } from '../ratio.js'
import type { ClaimEntry, PlanDraft } from './contract.js'
import { allOf, bandLeg, both, contrastLeg, predictionOf, unbounded } from './leg.js'

/** Up to here a request to the tiny model is taken to cost much beside its tokens: the hypothesis that the experiments put to the test. */
const TINY_WORDS = 16
/** Least gain for them, and most that batching may cost anywhere. */
const GAIN = 1.1
const COST = 0.97
/** Above the crossover nothing is gained: half of what counts as a gain. */
const NO_GAIN = 1.05
const MACHINE = 1.1

const ids = {
  rate: 'answers-per-second-after-to-before',
  cpu: 'server-cpu-per-answer-after-to-before',
  machine: 'closed-loop-cpu-per-answer-after-to-before',
  length: 'prompt-tokens-per-answer-after-to-before',
  upstream: 'calls-upstream-per-answer',
  upstreamBefore: 'calls-upstream-per-answer-before'
} as const

type Expected = 'gains' | 'same' | 'forced'

const statements: Readonly<Record<Expected, string>> = {
  gains: 'Tiny inputs that are asked at one time are embedded faster as one call, because what a request costs beside its tokens is paid once',
  same: 'Above the crossover, inputs go alone, and batching costs nothing',
  forced: 'Joined all the same, inputs above the crossover gain nothing'
}

const explanation = 'llama-server makes a task of each input of an array, so joining calls saves nothing of the computation: only what each request costs beside its tokens (HTTP, its own turn through the queue, its own decode call). ' +
  'That is much of what four words cost the tiny model, and next to nothing of what sixty-four do. The gateway measures both ways for each length, and joins only where that is faster.'

/** What the plan's own load and options say before the run. */
function expected ({ workload, conditions }: PlanDraft): Expected {
  const forced = conditions.some(({ policyOptions }) => policyOptions?.['batching']?.['when'] === 'always')
  const words = workload.kind === 'open-loop' ? workload.classes.map(({ promptWords }) => typeof promptWords === 'number' ? promptWords : promptWords.median) : []
  return Math.max(...words) <= TINY_WORDS ? 'gains' : forced ? 'forced' : 'same'
}

const bands: Readonly<Record<Expected, ReadonlyArray<Pick<Prediction, 'id' | 'metric' | 'statement' | 'lo' | 'hi'>>>> = {
  gains: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at least ${GAIN} times as many embeddings a second`, lo: GAIN, hi: unbounded },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs as much less CPU time for each', lo: 0, hi: 1 / GAIN },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'most go with others: at most 0.7 calls upstream for an answer', lo: 0, hi: 0.7 }
  ],
  same: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at least ${COST} times as many embeddings a second`, lo: COST, hi: unbounded },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs the same CPU time for each', lo: 1 / MACHINE, hi: 1 / COST },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'next to none go with others, but to learn what that costs', lo: 0.9, hi: 1 }
  ],
  forced: [
    { id: ids.rate, metric: 'tokens-per-second', statement: `at most ${NO_GAIN} times as many embeddings a second`, lo: 0, hi: NO_GAIN },
    { id: ids.cpu, metric: 'server-cpu-per-answer', statement: 'llama-server needs no less CPU time for each', lo: 1 / NO_GAIN, hi: unbounded },
    { id: ids.upstream, metric: 'calls-upstream', statement: 'most go with others: at most 0.7 calls upstream for an answer', lo: 0, hi: 0.7 }
  ]
}

const same = { lo: 1 / MACHINE, hi: MACHINE }

export const batching: ClaimEntry = {
  id: 'batching-joins-tiny-inputs',
  predictions: draft => [
    ...bands[expected(draft)],
    { id: ids.upstreamBefore, metric: 'calls-upstream', statement: 'without batching every call goes upstream', lo: 1, hi: 1 },
    { id: ids.machine, metric: 'closed-loop-cpu-per-token', statement: 'the machine is the same on both sides: CPU time per embedding of the closed loops of a block', ...same },
    { id: ids.length, metric: 'prompt-tokens-per-answer', statement: 'the inputs are as long on both sides, by the usage that each caller is told', lo: 0.98, hi: 1.02 }
  ],
  claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf(plan, openLoop, contrasts)] : []
}

function claimOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const leg = (statement: string, source: string, value: number | null, id: string): Leg => bandLeg(statement, source, value, predictionOf(plan, id))
  const ofContrast = (statement: string, source: string, metric: string, id: string): Leg => contrastLeg(statement, source, contrasts.find(contrast => contrast.id === metric), 'ratio', predictionOf(plan, id))
  const afterToBefore = (statement: string, source: string, of: (views: readonly OpenLoopView[]) => number | null, id: string): Leg => {
    const [before, after] = [of(ofCondition(views, 'before')), of(ofCondition(views, 'after'))]
    return bandLeg(statement, source, ratio(after, before), predictionOf(plan, id), both(before, after))
  }
  const records = 'the gateway’s records'
  const legs = {
    application: ofContrast('embeddings answered per second, after ÷ before', 'load generator (calls.ndjson)', 'tokens-per-second', ids.rate),
    os: afterToBefore('CPU time of llama-server per answer, after ÷ before', 'pidstat', cpuUsecPerAnswer, ids.cpu),
    control: allOf([
      ofContrast('CPU time per embedding in the closed loop, after ÷ before', '/proc/PID/stat and load generator', 'closed-loop-cpu-per-token', ids.machine),
      afterToBefore('prompt tokens per answer, after ÷ before', 'load generator (usage)', promptTokensPerAnswer, ids.length)
    ]),
    mechanism: allOf([
      leg('calls upstream ÷ answers, with batching', records, upstreamPerAnswer(ofCondition(views, 'after')), ids.upstream),
      leg('without', records, upstreamPerAnswer(ofCondition(views, 'before')), ids.upstreamBefore)
    ])
  }
  return {
    id: batching.id,
    statement: statements[expected(plan)],
    predicted: predictionOf(plan, ids.rate)?.statement ?? 'nothing was predicted before the run',
    status: Object.values(legs).every(({ status }) => status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED',
    ...legs,
    explanation
  }
}

/** Of the judged calls that were answered; null when one does not say. */
function promptTokensPerAnswer (views: readonly OpenLoopView[]): number | null {
  const tokens = views.flatMap(({ judged }) => judged.filter(({ outcome }) => outcome === 'answered').map(({ promptTokens }) => promptTokens))
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
