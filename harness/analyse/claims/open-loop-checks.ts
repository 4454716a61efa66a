/** Numbers of an open loop for the tables of a claim. */
import type { OpenLoopPlan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition, pairsOf } from '../gate.js'
import { geometricMean, ratio } from '../ratio.js'
import { ttftToLimitP95 } from '../ttft-to-limit.js'
import { contrastCheck, type Check } from './checks.js'
import type { OfOpenLoop } from './contract.js'
import { both, type Compared, type ContrastPart } from './leg.js'
import { LOAD } from './sources.js'

/** A ratio nearer to 1 than this is the same. */
const MATTERS = 1.1

export type OpenLoopCheck = Check<OfOpenLoop>

type OfBlock = (view: OpenLoopView, plan: OpenLoopPlan) => number | null

/**
 * A check's value: geometric mean over the pairs of with ÷ without; null without pairs, or when a block lacks the number or has none of it. And what it compares: the geometric means of both
 * sides, so that one ÷ the other is the value.
 */
export function withToWithout (value: OfBlock): Required<Pick<OpenLoopCheck, 'value' | 'compared'>> {
  const sides = (views: readonly OpenLoopView[], plan: OpenLoopPlan): Compared => {
    const pairs = pairsOf(views, 'before', 'after')
    return both(geometricMean(pairs.map(({ a }) => value(a, plan))), geometricMean(pairs.map(({ b }) => value(b, plan))))
  }
  return {
    value (views, plan) {
      const [without, withIt] = sides(views, plan) ?? [null, null]
      return ratio(withIt, without)
    },
    compared: sides
  }
}

/** An end of the interval of a contrast, with ÷ without: within a tenth of 1. @param what before `, with ÷ without, …` */
export function equivalentEnd (contrastId: string, what: string, end: Exclude<ContrastPart, 'ratio'>): OpenLoopCheck {
  return contrastCheck(contrastId, end, {
    id: `${contrastId}-${end.replace(' ', '-')}`,
    what: `${what}, with ÷ without, ${end} of the interval`,
    source: LOAD,
    band: () => [1 / MATTERS, MATTERS]
  })
}

/** What admission promises of the calls that it lets in, each against the limit of its class. */
export const ttftWithinLimit: OpenLoopCheck = {
  id: 'ttft-p95-within-limit',
  metric: 'ttft',
  what: 'p95 of TTFT ÷ limit of its class of the answered calls with admission',
  source: LOAD,
  value: (views, plan) => ttftToLimitP95(plan, views, 'after'),
  band: () => [0, 1]
}

/** Sum of a over the blocks of a condition ÷ sum of b; null when a block lacks one of them, or there is nothing to divide by. */
export function ratioOfSums (views: readonly OpenLoopView[], condition: string, a: (view: OpenLoopView) => number | null, b: (view: OpenLoopView) => number | null): number | null {
  const pairs = ofCondition(views, condition).map(view => [a(view), b(view)] as const)
  if (pairs.some(([upper, lower]) => upper === null || lower === null)) return null
  const below = pairs.reduce((sum, [, lower]) => sum + (lower ?? 0), 0)
  return below > 0 ? pairs.reduce((sum, [upper]) => sum + (upper ?? 0), 0) / below : null
}
