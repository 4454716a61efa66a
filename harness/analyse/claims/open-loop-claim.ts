/** A claim about an open loop whose legs are tables of numbers and bands. */
import type { Claim, Contrast, OpenLoopPlan, Plan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition, pairsOf } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { geometricMean, ratio } from '../ratio.js'
import { legOf, predictedBy, type Check } from './checks.js'
import type { ClaimEntry } from './contract.js'
import { bandText, both, type Compared } from './leg.js'

/** A ratio nearer to 1 than this is the same. */
const MATTERS = 1.1

export type OpenLoopCheck = Check<OpenLoopView>
type Checks = readonly [OpenLoopCheck, ...OpenLoopCheck[]]

export interface OpenLoopClaim {
  readonly id: string
  readonly statement: string
  /** With its interference left out; absent: there is no such run. */
  readonly quietStatement?: string
  readonly explanation: string
  readonly application: Checks
  readonly os: Checks
  readonly control: Checks
  readonly mechanism: Checks
}

export function openLoopEntry (claim: OpenLoopClaim): ClaimEntry {
  const { application, os, control, mechanism } = claim
  return {
    id: claim.id,
    predictions: (draft, manifest) => predictedBy([...application, ...os, ...control, ...mechanism], draft, manifest),
    claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf(claim, plan, openLoop, contrasts)] : []
  }
}

function claimOf ({ id, statement, quietStatement, explanation, ...tables }: OpenLoopClaim, plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const legs = {
    application: legOf(tables.application, plan, views, contrasts),
    os: legOf(tables.os, plan, views, contrasts),
    control: legOf(tables.control, plan, views, contrasts),
    mechanism: legOf(tables.mechanism, plan, views, contrasts)
  }
  const predicted = plan.predictions.filter(prediction => tables.application.some(check => check.id === prediction.id))
  return {
    id: plan.quiet ? `${id}-quiet` : id,
    statement: plan.quiet && quietStatement !== undefined ? quietStatement : statement,
    predicted: predicted.map(prediction => `${prediction.statement}: ${bandText(prediction)}`).join('; ') || 'nothing was predicted before the run',
    status: Object.values(legs).every(leg => leg.status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED',
    ...legs,
    explanation
  }
}

type OfBlock = (view: OpenLoopView, plan: Plan) => number | null

/**
 * A check's value: geometric mean over the pairs of with ÷ without; null without pairs, or when a block lacks the number or has none of it. And what it compares: the geometric means of both
 * sides, so that one ÷ the other is the value.
 */
export function withToWithout (value: OfBlock): Required<Pick<OpenLoopCheck, 'value' | 'compared'>> {
  const sides = (views: readonly OpenLoopView[], plan: Plan): Compared => {
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
export function equivalentEnd (contrastId: string, what: string, end: 'lower end' | 'upper end'): OpenLoopCheck {
  const of = (contrasts: readonly Contrast[]): Contrast | undefined => contrasts.find(({ id }) => id === contrastId)
  return {
    id: `${contrastId}-${end.replace(' ', '-')}`,
    metric: contrastId,
    what: `${what}, with ÷ without, ${end} of the interval`,
    source: 'load generator (calls.ndjson)',
    value: (_views, _plan, contrasts) => of(contrasts)?.ci95?.[end === 'lower end' ? 0 : 1] ?? null,
    compared: (_views, _plan, contrasts) => of(contrasts)?.compared,
    band: () => [1 / MATTERS, MATTERS]
  }
}

/** Sum of a over the blocks of a condition ÷ sum of b; null when a block lacks one of them, or there is nothing to divide by. */
export function ratioOfSums (views: readonly OpenLoopView[], condition: string, a: (view: OpenLoopView) => number | null, b: (view: OpenLoopView) => number | null): number | null {
  const pairs = ofCondition(views, condition).map(view => [a(view), b(view)] as const)
  if (pairs.some(([upper, lower]) => upper === null || lower === null)) return null
  const below = pairs.reduce((sum, [, lower]) => sum + (lower ?? 0), 0)
  return below > 0 ? pairs.reduce((sum, [upper]) => sum + (upper ?? 0), 0) / below : null
}
