import type { OpenLoopPlan, OpenLoopResult, Plan, Result, StreamsPlan, StreamsResult } from '../types.js'
import type { OpenLoopDraft, PlanDraft, StreamsDraft } from './claims/contract.js'

export function isOpenLoop (plan: Plan): plan is OpenLoopPlan
export function isOpenLoop (result: Result): result is OpenLoopResult
export function isOpenLoop (draft: PlanDraft): draft is OpenLoopDraft
export function isOpenLoop (of: Plan | Result | PlanDraft): boolean {
  return of.workload.kind === 'open-loop'
}

export function isStreams (plan: Plan): plan is StreamsPlan
export function isStreams (result: Result): result is StreamsResult
export function isStreams (draft: PlanDraft): draft is StreamsDraft
export function isStreams (of: Plan | Result | PlanDraft): boolean {
  return of.workload.kind === 'streams'
}
