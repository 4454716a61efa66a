import type { Claim, Leg, Plan, Prediction } from '../../types.js'
import { bothOf, majorFaultsPerSecond, middleOf, middleOfPairs, ratioOf, queueShare, queueShareByPidstat, stealShare, throttledPeriods, worstOf, type Figure } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { bandLeg, predictionOf } from './leg.js'

/** Most CPU time of a token beside a hog on the same CPU, ÷ that without: between its slices the hog fills the caches. One bound for all claims. */
export const COLD_CACHES = 1.3

/** Rivals of every claim about a fight for CPUs: each is a way to lose time that is not waiting for a CPU of this machine. */
export const rivalPredictions: readonly Prediction[] = [
  { id: 'steal-share', metric: 'steal-share', statement: 'the hypervisor takes at most this share of the CPU time in any block', lo: 0, hi: 0.03 },
  { id: 'major-faults', metric: 'major-faults', statement: 'llama-server reads at most this many pages a second from storage in any block: nothing was evicted', lo: 0, hi: 10 },
  { id: 'throttled-periods', metric: 'throttled-periods', statement: 'no period of a quota is throttled in any block, where llama-server is in a group that counts them', lo: 0, hi: 0 }
]

/** Throttling is judged only where it is counted: outside any group with a quota there is nothing to count. */
export function rivalLegs (plan: Plan, views: readonly StreamsView[]): Leg[] {
  const counted = views.filter(view => throttledPeriods(view) !== null)
  return [
    bandLeg('share of CPU time stolen, worst block', '/proc/stat', worstOf(views, stealShare), predictionOf(plan, 'steal-share')),
    bandLeg('pages from storage per second, worst block', '/proc/PID/stat', worstOf(views, majorFaultsPerSecond), predictionOf(plan, 'major-faults')),
    ...(counted.length === 0 ? [] : [bandLeg('throttled periods, worst block', 'cpu.stat', worstOf(counted, throttledPeriods), predictionOf(plan, 'throttled-periods'))])
  ]
}

/** pidstat where it ran in all blocks; else the kernel's counters by the harness's own sampler, which is not the load generator either. */
export function queueLeg (plan: Plan, views: readonly StreamsView[], what: string, condition: string, id: string): Leg {
  const byTool = middleOf(views, condition, queueShareByPidstat)
  const [source, value] = byTool === null ? ['/proc/PID/task/*/schedstat', middleOf(views, condition, queueShare)] : ['pidstat (%wait ÷ (%wait + %CPU) of the compute threads)', byTool]
  return bandLeg(`share of its time in run queues, ${what}`, source, value, predictionOf(plan, id))
}

export function figureLeg (plan: Plan, views: readonly StreamsView[], what: string, source: string, condition: string, figure: Figure, id: string): Leg {
  return bandLeg(what, source, middleOf(views, condition, figure), predictionOf(plan, id))
}

/** b ÷ a. */
export function ratioLeg (plan: Plan, views: readonly StreamsView[], what: string, source: string, [a, b]: readonly [string, string], figure: Figure, id: string): Leg {
  return bandLeg(what, figure.withPace === undefined ? source : sourceAtPace(source, views), middleOfPairs(views, a, b, ratioOf(figure)), predictionOf(plan, id), bothOf(views, a, b, figure))
}

/** Of a figure that compares blocks at the pace of each. */
export function sourceAtPace (source: string, views: readonly StreamsView[]): string {
  return views.some(({ summary }) => summary.yardstick !== undefined) ? `${source}, at the pace of each block (yardstick)` : source
}

type Legs = Pick<Claim, 'application' | 'os' | 'control' | 'mechanism'>

export function claimOf (claim: Omit<Claim, 'status' | keyof Legs>, legs: Legs): Claim {
  return { ...claim, status: Object.values(legs).every(leg => leg.status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED', ...legs }
}
