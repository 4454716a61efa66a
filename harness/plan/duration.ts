import { isOpenLoop } from '../analyse/plan-kind.js'
import type { BlockPlan, Manifest, OpenLoopPlan, Plan, StreamsPlan } from '../types.js'
import { workloadOf } from './condition-workload.js'
import { calibratedServer } from './streams-plan.js'

/** Seconds that a start and a stop take, and a reading of the yardstick. */
const startAndStop = 3

/** Seconds of a block until its parts begin, and in all: starts and stops, and what the server has left to do before the second closed loop. */
export function blockSeconds ({ workload, calibration }: OpenLoopPlan): { readonly capacity: number, readonly load: number, readonly again: number, readonly whole: number } {
  const starts = 2.7
  const closedLoop = Math.max(workload.capacitySeconds, (workload.capacityCalls ?? 0) * workload.closedLoopClients / calibration.capacityPerSecond)
  const load = starts + closedLoop + 0.2
  const again = load + workload.rampSeconds + workload.windowSeconds + workload.drainSeconds
  return { capacity: starts, load, again, whole: again + (workload.capacityAgain === true ? 0.5 + closedLoop : 0) }
}

/** At the pace of the calibration: knobs that slow the server down make it longer. */
export function streamsSeconds (plan: StreamsPlan, { condition: id }: BlockPlan, manifest: Pick<Manifest, 'model' | 'server'>): number {
  const condition = plan.conditions.find(each => each.id === id)
  const server = condition === undefined ? undefined : calibratedServer(plan, condition, manifest)
  if (condition === undefined || server === undefined) return startAndStop
  const workload = workloadOf(plan.workload, condition)
  const calls = workload.warmupCalls + workload.clients * workload.calls
  // The calibrated pace has the prompt of the run in it.
  const longerPrompts = calls * server.ttftMs / 1000 * Math.max(0, workload.promptWords / plan.workload.promptWords - 1)
  const tokens = calls * workload.predictTokens
  return startAndStop + Math.max(longerPrompts + tokens / server.tokensPerSecond + (workload.pauseSeconds ?? 0) * (workload.calls - 1), workload.atLeastSeconds ?? 0)
}

/** Seconds that the spare pairs of a plan take if all of them are needed. */
export function spareSeconds (plan: Plan): number {
  return isOpenLoop(plan) ? (plan.spare?.blocks.length ?? 0) * blockSeconds(plan).whole : 0
}

/** Without spare pairs. */
export function plannedSeconds (plan: Plan, manifest: Pick<Manifest, 'model' | 'server'>): number {
  if (isOpenLoop(plan)) return plan.blocks.length * blockSeconds(plan).whole
  return plan.blocks.reduce((sum, block) => sum + streamsSeconds(plan, block, manifest), 0)
}
