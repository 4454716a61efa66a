import type { CallSample, OpenLoopWorkload } from '../types.js'
import { estimateCapacity } from '../load/capacity.js'

/** Answers per second of the closed loop of one block; 0 when it was too short for an estimate. */
export function capacityPerSecond (calls: readonly CallSample[], workload: OpenLoopWorkload): number {
  return estimateCapacity(calls.filter(call => call.phase === 'capacity'), workload.closedLoopClients)?.answersPerSecond ?? 0
}
