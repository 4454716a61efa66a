import type { Contrast, OpenLoopPlan, OpenLoopWorkload, OutcomeSpec, ServiceTime } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { measuredOf } from './log-ratios.js'
import { cpuTimeOutcome, outcomeSpec, workOutcome } from './outcomes.js'
import { ratio } from './ratio.js'
import { judge } from './verdict.js'
import { goodWork, workCapacity } from './work.js'

/**
 * Good requests per second ÷ the capacity of the same block, judged against 1: the share of what the server can do at
 * best that counts for its users. Both sides are counted by the parts of lives inside their windows: about 30 answers fit into a window, in batches
 * of as many as there are slots, and one batch on this or that side of its end would be a tenth. Paired with its own block, so the machine's drift
 * cancels; one-sample over a condition. Where lengths differ, the same once more with each answer counted by its work; where all calls are alike, by the CPU time that
 * it got. Half a request is added as in the primary when a block has none.
 */
export function goodPerCapacity (plan: OpenLoopPlan, views: readonly OpenLoopView[]): Contrast[] {
  // The treated condition first: it is what the plan is about.
  const [first, ...others] = plan.conditions.map(({ id }) => id).reverse()
  if (first === undefined) return []
  const { calibration: { serviceTime }, workload } = plan
  const beside = serviceTime !== undefined ? [work(plan, serviceTime)] : callsAreAlike(workload) ? [cpuTime] : []
  const shares = [answers(plan), ...beside]
  return shares.flatMap(share => [ofShare(plan, views, first, share, share.spec.metric), ...others.map(id => ofShare(plan, views, id, share, `${share.spec.metric}-${id}`))])
}

interface Share {
  readonly spec: OutcomeSpec
  /** What stands for 1. */
  readonly against: string
  readonly capacity: (view: OpenLoopView) => number
  /** In the unit of the capacity, over the judged window. */
  readonly good: (view: OpenLoopView) => number
  /** Stands in for part of an answer where a block has no good one. */
  readonly half: number
}

const CAPACITY = 'capacity of the same block'

function answers (plan: OpenLoopPlan): Share {
  return { spec: outcomeSpec(plan, 'good-per-capacity'), against: CAPACITY, capacity: ({ summary }) => summary.capacityPerSecond, good: ({ goodParts }) => goodParts, half: 0.5 }
}

function work ({ workload, calibration }: OpenLoopPlan, serviceTime: ServiceTime): Share {
  return {
    spec: workOutcome,
    against: CAPACITY,
    capacity: ({ block }) => workCapacity(block, workload, serviceTime),
    good: ({ block }) => goodWork(block, workload, serviceTime),
    half: 0.5 / calibration.capacityPerSecond
  }
}

/** Only then does a token cost under the load what it costs in the closed loops, on the same machine: prompts of other lengths, and those found in a slot, have other shares in it. */
function callsAreAlike ({ classes, conversations, workers }: OpenLoopWorkload): boolean {
  return classes.length === 1 && conversations === undefined && workers === undefined
}

/**
 * The share of llama-server's CPU time that good answers got: a machine that slowed down between closed loops and load lowers good ÷ capacity, and not this. What a policy
 * itself makes dearer is hidden by it as well, so no claim rests on it; whether it did is what CPU time per token, with ÷ without, says.
 */
const cpuTime: Share = {
  spec: cpuTimeOutcome,
  against: `${CAPACITY}, at the CPU time per token of its load`,
  capacity: ({ summary }) => summary.capacityPerSecond * (ratio(summary.closedLoopCpuUsecPerToken, summary.serverCpuUsecPerToken) ?? 0),
  good: ({ goodParts }) => goodParts,
  half: 0.5
}

function ofShare (plan: OpenLoopPlan, views: readonly OpenLoopView[], condition: string, { spec, against, capacity, good, half: oneHalf }: Share, id: string): Contrast {
  const blocks = ofCondition(views, condition).filter(view => capacity(view) > 0).sort((a, b) => a.summary.index - b.summary.index)
  const base = { id, a: against, b: condition, metric: spec.metric, population: 'offered' as const, primary: false }
  if (blocks.length === 0) {
    return { ...base, ratio: null, ci95: null, p: null, n: 0, verdict: 'cannot say', because: `no valid block '${condition}' has a capacity` }
  }
  const half = blocks.some(view => good(view) === 0) ? oneHalf : 0
  const measured = measuredOf(blocks.map(view => Math.log((good(view) + half) / view.seconds / capacity(view))), plan, 'blocks')
  const { verdict, because } = judge(measured, spec, plan.alpha)
  const note = half === 0 ? '' : 'a block had no good request: half a request was added to every block'
  return { ...base, ratio: measured.ratio, ci95: measured.interval, p: measured.p, n: measured.n, verdict, because: [because, note].filter(part => part !== '').join('; ') }
}
