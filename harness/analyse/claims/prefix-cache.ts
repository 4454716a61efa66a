import type { Claim, Contrast, Leg, OpenLoopPlan, Prediction } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { cacheFigures, countedShare, type CacheFigures } from '../cache-share.js'
import { cpuUsecPerAnswer } from '../cpu-per-answer.js'
import { ofCondition } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { ratio } from '../ratio.js'
import { middle } from '../window.js'
import type { ClaimEntry, PlanDraft } from './contract.js'
import { allOf, bandLeg, both, contrastLeg, predictionOf, unbounded, withStatus, type Compared } from './leg.js'
import { withToWithout } from './open-loop-checks.js'
import { SAME_MACHINE } from './same-machine.js'

const explanation = 'A slot keeps the tokens of its last prompt and answer, and a prompt that begins with them is spared evaluating them. llama-server takes the idle slot whose prompt is most like the ' +
  'new one, and where none is, the one that was used least lately: where more conversations take turns than there are slots, that is the one whose next turn comes first, so each finds its slot taken. ' +
  'The gateway remembers what each slot holds and after which time conversations come back, and takes the slot of the one that comes back last; the others keep theirs.'

const ids = {
  ttft: 'ttft-p50-after-to-before',
  cpu: 'server-cpu-per-call-after-to-before',
  ofBest: 'cached-share-to-best',
  ofBefore: 'cached-share-after-to-before',
  same: 'cached-share-after-minus-before',
  counted: 'prompt-tokens-total-to-records',
  machine: 'closed-loop-cpu-per-token-after-to-before',
  length: 'prompt-tokens-per-call-after-to-before'
} as const

const EQUIVALENT = { lo: 0.8, hi: 1.25 }

/**
 * Conversations that take turns in front of slots for half of them. With memory for displaced prompts (`cache-ram`) llama-server loses none, and there is nothing to
 * gain; nor is there where prompts have nothing in common.
 */
export const prefixCache: ClaimEntry = {
  id: 'prefix-cache',
  predictions: draft => {
    const gains = hasToGain(draft)
    const related = !draft.quiet
    return [
      { id: ids.ttft, metric: 'ttft-answered-p50', statement: gains ? 'the median time to first token is at most 0.9 of that with llama-server’s own choice' : 'the median time to first token is the same with either choice', ...(gains ? { lo: 0, hi: 0.9 } : EQUIVALENT) },
      { id: ids.cpu, metric: 'server-cpu-per-call', statement: gains ? 'llama-server needs at most 0.95 of the CPU time per answer' : 'llama-server needs the same CPU time per answer', ...(gains ? { lo: 0, hi: 0.95 } : EQUIVALENT) },
      ...(gains ? [{ id: ids.ofBest, metric: 'cached-share', statement: 'of the prompt tokens that any choice of slots could have found, known what comes, at least 0.8 are found', lo: 0.8, hi: 1.05 }] : []),
      related
        ? { id: ids.ofBefore, metric: 'cached-share', statement: 'the share of prompt tokens found in the cache is not below that with llama-server’s own choice', lo: gains ? 1 : 0.95, hi: unbounded }
        : { id: ids.same, metric: 'cached-share', statement: 'of unrelated prompts neither choice finds anything', lo: -0.02, hi: 0.02 },
      { id: ids.counted, metric: 'prompt-tokens-total', statement: 'llama-server’s own counter of evaluated prompt tokens says the same as the answers do', lo: 0.85, hi: 1.15 },
      { id: ids.machine, metric: 'closed-loop-cpu-per-token', statement: 'the machine is the same on both sides: CPU time per token of the closed loops of a block', lo: SAME_MACHINE[0], hi: SAME_MACHINE[1] },
      { id: ids.length, metric: 'prompt-tokens-per-call', statement: 'the prompts are as long on both sides', ...EQUIVALENT }
    ]
  },
  claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf(plan, openLoop, contrasts)] : []
}

function hasToGain ({ quiet, conditions }: Pick<PlanDraft, 'quiet' | 'conditions'>): boolean {
  return !quiet && !conditions.some(({ knobs }) => knobs.some(spec => /^cache-ram=(?!0$)/.test(spec)))
}

function claimOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const side = (condition: string): Side => sideOf(plan, ofCondition(views, condition))
  const [before, after] = [side('before'), side('after')]
  const leg = (statement: string, source: string, value: number | null, id: string, compared?: Compared): Leg => bandLeg(statement, source, value, predictionOf(plan, id), compared)
  const ofContrast = (statement: string, source: string, metric: string, id: string): Leg => contrastLeg(statement, source, contrasts.find(contrast => contrast.id === metric), 'ratio', predictionOf(plan, id))
  const cpu = withToWithout(cpuUsecPerAnswer)
  const records = 'gateway records (cache_n of llama-server’s answers)'
  const legs = {
    application: ofContrast('median TTFT, after ÷ before', 'load generator (calls.ndjson)', 'ttft-answered-p50', ids.ttft),
    os: leg('CPU time of llama-server per answer, after ÷ before', 'pidstat', cpu.value(views, plan, contrasts), ids.cpu, cpu.compared(views, plan, contrasts)),
    control: allOf([
      ofContrast('CPU time per token in the closed loops of a block, after ÷ before', '/proc/PID/stat and load generator', 'closed-loop-cpu-per-token', ids.machine),
      leg('prompt tokens per call, after ÷ before', records, ratio(after.promptTokensPerCall, before.promptTokensPerCall), ids.length, both(before.promptTokensPerCall, after.promptTokensPerCall))
    ]),
    mechanism: allOf([
      leg('llama-server’s counter ÷ the records, with the gateway’s choice', 'llama-server’s llamacpp:prompt_tokens_total', after.counted, ids.counted),
      ...optional(plan, ids.ofBest, prediction => bandLeg('cached share ÷ the best of any choice', records, ratio(after.share, after.bestShare), prediction)),
      ...optional(plan, ids.ofBefore, prediction => bandLeg('cached share, after ÷ before', records, ratio(after.share, before.share), prediction, both(before.share, after.share))),
      ...optional(plan, ids.same, prediction => bandLeg('cached share, after − before', records, after.share === null || before.share === null ? null : after.share - before.share, prediction, both(before.share, after.share)))
    ])
  }
  const predicted = predictionOf(plan, ids.ofBest) ?? predictionOf(plan, ids.ofBefore) ?? predictionOf(plan, ids.same)
  return withStatus({
    id: plan.quiet ? `${prefixCache.id}-quiet` : prefixCache.id,
    statement: hasToGain(plan)
      ? 'Where more conversations take turns than there are slots, a choice of slots by what they hold finds more of each prompt in the cache, because the slot that is needed last is given away'
      : 'Where llama-server loses no conversation, or prompts have nothing in common, a choice of slots by what they hold changes nothing',
    predicted: predicted?.statement ?? 'nothing was predicted before the run',
    ...legs,
    explanation
  })
}

/** Which shares are predicted depends on the plan; all of its own must hold, and without any the leg is missing. */
function optional (plan: OpenLoopPlan, id: string, legOf: (prediction: Prediction) => Leg): Leg[] {
  const prediction = predictionOf(plan, id)
  return prediction === undefined ? [] : [legOf(prediction)]
}

/** Over the blocks of a condition; null when one of them has no such reading. */
interface Side {
  readonly share: number | null
  readonly bestShare: number | null
  readonly promptTokensPerCall: number | null
  readonly counted: number | null
}

function sideOf ({ workload }: OpenLoopPlan, views: readonly OpenLoopView[]): Side {
  const figures = whole(views.map(({ block }) => cacheFigures(block, workload.closedLoopClients, workload.conversations?.related ?? false)))
  const total = (of: (figures: CacheFigures) => number): number | null => figures === null ? null : figures.reduce((sum, each) => sum + of(each), 0)
  const promptTokens = total(each => each.promptTokens)
  return {
    share: ratio(total(each => each.cachedTokens), promptTokens),
    bestShare: ratio(total(each => each.bestTokens), promptTokens),
    promptTokensPerCall: ratio(promptTokens, total(each => each.calls)),
    counted: middleOf(views.map(({ block }) => countedShare(block)))
  }
}

function middleOf (values: ReadonlyArray<number | null>): number | null {
  const all = whole(values)
  return all === null ? null : middle(all)
}

function whole<T> (values: ReadonlyArray<T | null>): readonly T[] | null {
  return values.length === 0 || values.includes(null) ? null : values.flatMap(value => value ?? [])
}
