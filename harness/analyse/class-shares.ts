/** Good answers by class: whether a call's chance depends on its length. */
import type { OpenLoopPlan } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { isGood } from './window.js'

export interface ClassShares {
  /** Good ÷ offered of all judged calls of the condition. */
  readonly overall: number
  readonly byClass: Readonly<Record<string, number>>
}

/** Null when a class had no call. */
export function classShares (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string): ClassShares | null {
  const judged = ofCondition(views, condition).flatMap(view => view.judged)
  const shareOf = (calls: typeof judged): number | null => calls.length === 0 ? null : calls.filter(call => isGood(call, plan.workload)).length / calls.length
  const overall = shareOf(judged)
  const byClass: Record<string, number> = {}
  for (const { name } of plan.workload.classes) {
    const share = shareOf(judged.filter(({ cls }) => cls === name))
    if (share === null) return null
    byClass[name] = share
  }
  return overall === null ? null : { overall, byClass }
}

export function worstShare (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string): number | null {
  const shares = classShares(plan, views, condition)
  return shares === null ? null : Math.min(...Object.values(shares.byClass))
}

/** The smallest share of a class ÷ that of all; null where nothing was good. */
export function worstToOverall (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string): number | null {
  const shares = classShares(plan, views, condition)
  return shares === null || shares.overall === 0 ? null : Math.min(...Object.values(shares.byClass)) / shares.overall
}
