/** A claim about an open loop whose legs are tables of numbers and bands. */
import type { Claim, Contrast, OpenLoopPlan, Plan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition, pairsOf } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import { legOf, predictedBy, type Check } from './checks.js'
import type { ClaimEntry } from './contract.js'
import { bandText, type Compared } from './leg.js'

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
 * A check's value: geometric mean over the pairs of with ÷ without; null without pairs, or when a block lacks the number or has none of it. And what it compares: means over the blocks of both.
 */
export function withToWithout (value: OfBlock): Required<Pick<OpenLoopCheck, 'value' | 'compared'>> {
  return { value: (views, plan) => geometricMean(views, view => value(view, plan)), compared: (views, plan) => means(views, view => value(view, plan)) }
}

function means (views: readonly OpenLoopView[], value: (view: OpenLoopView) => number | null): Compared {
  const [without, withIt] = ['before', 'after'].map(condition => {
    const found = ofCondition(views, condition).map(value)
    return found.length === 0 || found.includes(null) ? undefined : found.reduce<number>((sum, each) => sum + (each ?? 0), 0) / found.length
  })
  return without === undefined || withIt === undefined ? undefined : [without, withIt]
}

function geometricMean (views: readonly OpenLoopView[], value: (view: OpenLoopView) => number | null): number | null {
  const logs = pairsOf(views, 'before', 'after').map(({ a, b }) => {
    const [without, withIt] = [value(a), value(b)]
    return without === null || withIt === null || without <= 0 || withIt <= 0 ? null : Math.log(withIt / without)
  })
  return logs.length === 0 || logs.includes(null) ? null : Math.exp(logs.reduce<number>((sum, log) => sum + (log ?? 0), 0) / logs.length)
}

/** Sum of a over the blocks of a condition ÷ sum of b; null when a block lacks one of them, or there is nothing to divide by. */
export function ratioOfSums (views: readonly OpenLoopView[], condition: string, a: (view: OpenLoopView) => number | null, b: (view: OpenLoopView) => number | null): number | null {
  const pairs = ofCondition(views, condition).map(view => [a(view), b(view)] as const)
  if (pairs.some(([upper, lower]) => upper === null || lower === null)) return null
  const below = pairs.reduce((sum, [, lower]) => sum + (lower ?? 0), 0)
  return below > 0 ? pairs.reduce((sum, [upper]) => sum + (upper ?? 0), 0) / below : null
}
