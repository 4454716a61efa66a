import type { OpenLoopPlan, OpenLoopResult, Plan, Result, StreamsPlan, StreamsResult } from '../types.js'

export function isOpenLoop (plan: Plan): plan is OpenLoopPlan
export function isOpenLoop (result: Result): result is OpenLoopResult
export function isOpenLoop (of: Plan | Result): boolean {
  return of.workload.kind === 'open-loop'
}

export function isStreams (plan: Plan): plan is StreamsPlan
export function isStreams (result: Result): result is StreamsResult
export function isStreams (of: Plan | Result): boolean {
  return of.workload.kind === 'streams'
}
