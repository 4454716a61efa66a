import type { OpenLoopPlan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { cacheFigures, countedShare, type CacheFigures } from '../cache-share.js'
import { cpuUsecPerAnswer } from '../cpu-per-answer.js'
import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import { middle } from '../window.js'
import { openLoopEntryOf } from './checked-claim.js'
import { contrastCheck, type Band } from './checks.js'
import type { OpenLoopDraft } from './contract.js'
import { both, unbounded } from './leg.js'
import { withToWithout, type OpenLoopCheck } from './open-loop-checks.js'
import { SAME_MACHINE } from './same-machine.js'
import { LOAD } from './sources.js'

const explanation = 'A slot keeps the tokens of its last prompt and answer, and a prompt that begins with them is spared evaluating them. llama-server takes the idle slot whose prompt is most like the ' +
  'new one, and where none is, the one that was used least lately: where more conversations take turns than there are slots, that is the one whose next turn comes first, so each finds its slot taken. ' +
  'The gateway remembers what each slot holds and after which time conversations come back, and takes the slot of the one that comes back last; the others keep theirs.'

const SAME: Band = [0.8, 1.25]
const records = 'gateway records (cache_n of llama-server’s answers)'

/**
 * Conversations that take turns in front of slots for half of them. With memory for displaced prompts (`cache-ram`) llama-server loses none, and there is nothing to
 * gain; nor is there where prompts have nothing in common.
 */
export const prefixCache = openLoopEntryOf('prefix-cache', draft => {
  const gains = hasToGain(draft)
  return {
    statement: gains
      ? 'Where more conversations take turns than there are slots, a choice of slots by what they hold finds more of each prompt in the cache, because the slot that is needed last is given away'
      : 'Where llama-server loses no conversation, or prompts have nothing in common, a choice of slots by what they hold changes nothing',
    explanation,
    application: [contrastCheck('ttft-answered-p50', 'ratio', { id: 'ttft-p50-after-to-before', what: 'median TTFT with the gateway’s choice ÷ with llama-server’s own', source: LOAD, band: () => gains ? [0, 0.9] : SAME })],
    os: [{ id: 'server-cpu-per-call-after-to-before', metric: 'server-cpu-per-call', what: 'CPU time of llama-server per answer, after ÷ before', source: 'pidstat', ...withToWithout(cpuUsecPerAnswer), band: () => gains ? [0, 0.95] : SAME }],
    control: [
      contrastCheck('closed-loop-cpu-per-token', 'ratio', { id: 'closed-loop-cpu-per-token-after-to-before', what: 'CPU time per token in the closed loops of a block, after ÷ before: the machine is the same', source: '/proc/PID/stat and load generator', band: () => SAME_MACHINE }),
      { id: 'prompt-tokens-per-call-after-to-before', metric: 'prompt-tokens-per-call', what: 'prompt tokens per call, after ÷ before', source: records, ...sidesBy(({ promptTokensPerCall }) => promptTokensPerCall, (before, after) => ratio(after, before)), band: () => SAME }
    ],
    mechanism: [
      { id: 'prompt-tokens-total-to-records', metric: 'prompt-tokens-total', what: 'llama-server’s own counter of evaluated prompt tokens ÷ the records, with the gateway’s choice', source: 'llama-server’s llamacpp:prompt_tokens_total', value: (views, plan) => sideOf(plan, views, 'after').counted, band: () => [0.85, 1.15] },
      ...(gains ? [ofBest] : []),
      draft.quiet ? sameShare : { ...notLess, band: () => [gains ? 1 : 0.95, unbounded] as const }
    ]
  }
})

const ofBest: OpenLoopCheck = {
  id: 'cached-share-to-best',
  metric: 'cached-share',
  what: 'cached share of the prompt tokens ÷ the best that any choice of slots could have had, known what comes',
  source: records,
  value: (views, plan) => { const { share, bestShare } = sideOf(plan, views, 'after'); return ratio(share, bestShare) },
  band: () => [0.8, 1.05]
}

const notLess = { id: 'cached-share-after-to-before', metric: 'cached-share', what: 'cached share of the prompt tokens, after ÷ before', source: records, ...sidesBy(({ share }) => share, (before, after) => ratio(after, before)) }

/** Of unrelated prompts. */
const sameShare: OpenLoopCheck = {
  id: 'cached-share-after-minus-before',
  metric: 'cached-share',
  what: 'cached share of unrelated prompts, after − before: neither choice finds anything',
  source: records,
  ...sidesBy(({ share }) => share, (before, after) => before === null || after === null ? null : after - before),
  band: () => [-0.02, 0.02]
}

function hasToGain ({ quiet, conditions }: OpenLoopDraft): boolean {
  return !quiet && !conditions.some(({ knobs }) => knobs.some(spec => /^cache-ram=(?!0$)/.test(spec)))
}

/** A figure of both conditions, and what is made of the two. */
function sidesBy (figure: (side: Side) => number | null, of: (before: number | null, after: number | null) => number | null): Required<Pick<OpenLoopCheck, 'value' | 'compared'>> {
  const sides = (views: readonly OpenLoopView[], plan: OpenLoopPlan): readonly [number | null, number | null] => [figure(sideOf(plan, views, 'before')), figure(sideOf(plan, views, 'after'))]
  return { value: (views, plan) => of(...sides(views, plan)), compared: (views, plan) => both(...sides(views, plan)) }
}

/** Over the blocks of a condition; null when one of them has no such reading. */
interface Side {
  readonly share: number | null
  readonly bestShare: number | null
  readonly promptTokensPerCall: number | null
  readonly counted: number | null
}

/** By condition: the best choice of slots takes a while to find, and several checks ask for it. */
const known = new WeakMap<readonly OpenLoopView[], Map<string, Side>>()

function sideOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string): Side {
  const sides = known.get(views) ?? new Map<string, Side>()
  known.set(views, sides)
  const side = sides.get(condition) ?? newSide(plan, ofCondition(views, condition))
  sides.set(condition, side)
  return side
}

function newSide ({ workload: { closedLoopClients, conversations } }: OpenLoopPlan, views: readonly OpenLoopView[]): Side {
  const figures = whole(views.map(({ block }) => cacheFigures(block, closedLoopClients, conversations?.related ?? false)))
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
