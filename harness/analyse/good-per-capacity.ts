import type { Contrast, OpenLoopPlan } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { measuredOf } from './log-ratios.js'
import { outcomeSpec } from './outcomes.js'
import { judge } from './verdict.js'

/**
 * Good requests per second ÷ the capacity of the same block, judged against 1: the share of what the server can do at
 * best that counts for its users. Both sides are counted by the parts of lives inside their windows: about 30 answers fit into a window, in batches
 * of as many as there are slots, and one batch on this or that side of its end would be a tenth. Paired with its own block, so the machine's drift
 * cancels; one-sample over a condition. Half a request is added as in the primary when a block has none.
 */
export function goodPerCapacity (plan: OpenLoopPlan, views: readonly OpenLoopView[]): Contrast[] {
  // The treated condition first: it is what the plan is about.
  const [first, ...others] = plan.conditions.map(({ id }) => id).reverse()
  return first === undefined ? [] : [ofShare(plan, views, first, 'good-per-capacity'), ...others.map(id => ofShare(plan, views, id, `good-per-capacity-${id}`))]
}

function ofShare (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string, id: string): Contrast {
  const blocks = ofCondition(views, condition).filter(view => view.summary.capacityPerSecond > 0).sort((a, b) => a.summary.index - b.summary.index)
  const spec = outcomeSpec(plan, 'good-per-capacity')
  const base = { id, a: 'capacity of the same block', b: condition, metric: 'good-per-capacity', population: 'offered' as const, primary: false }
  if (blocks.length === 0) {
    return { ...base, ratio: null, ci95: null, p: null, n: 0, verdict: 'cannot say', because: `no valid block '${condition}' has a capacity` }
  }
  const half = blocks.some(view => view.goodParts === 0) ? 0.5 : 0
  const measured = measuredOf(blocks.map(view => Math.log((view.goodParts + half) / view.seconds / view.summary.capacityPerSecond)), plan, 'blocks')
  const { verdict, because } = judge(measured, spec, plan.alpha)
  const note = half === 0 ? '' : '; a block had no good request: half a request was added to every block'
  return { ...base, ratio: measured.ratio, ci95: measured.interval, p: measured.p, n: measured.n, verdict, because: because + note }
}
