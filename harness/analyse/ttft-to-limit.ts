import { effectiveN } from '../stats/effective.js'
import { percentiles } from '../stats/percentile.js'
import type { OpenLoopPlan } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { limitMs, scheduledTtftMs } from './window.js'

/** p95 of (TTFT ÷ limit of its class) over the answered calls of a condition; null below the floor. */
export function ttftToLimitP95 (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string): number | null {
  const relative = ofCondition(views, condition).map(view => view.judged.flatMap(call => {
    const ttftMs = scheduledTtftMs(call)
    return ttftMs === undefined ? [] : ttftMs / limitMs(plan.workload, call.cls)
  }))
  return percentiles(relative.flat(), effectiveN(relative)).p95
}
