/** Answers counted by their work, the seconds that they are predicted to take on an idle server: where lengths differ, one answer is not as much as another. */
import { partsInside } from '../load/capacity.js'
import { workSeconds } from '../plan/service-time.js'
import type { Block, CallSample, OpenLoopWorkload, ServiceTime } from '../types.js'
import { capacityPerSecond } from './capacity.js'
import { isGood } from './window.js'

/** Work of good answers in the judged window, seconds; of each the part of its life that lies inside. */
export function goodWork (block: Block, workload: OpenLoopWorkload, serviceTime: ServiceTime): number {
  const { judgedFromMs, judgedToMs } = block.evidence
  return workInside(block.calls.filter(call => call.phase === 'load' && isGood(call, workload)), judgedFromMs, judgedToMs, serviceTime)
}

/** Work of these answers between two stamps, seconds. */
export function workInside (calls: readonly CallSample[], fromMs: number, toMs: number, serviceTime: ServiceTime): number {
  return partsInside(calls.map(call => ({ fromMs: call.intendedMs, toMs: call.doneMs, seconds: workSeconds(call, serviceTime) })), fromMs, toMs, ({ seconds }) => seconds)
}

/** Work per second of the closed loops of a block, together; 0 when one was too short for an estimate. */
export function workCapacity (block: Block, workload: OpenLoopWorkload, serviceTime: ServiceTime): number {
  return capacityPerSecond(block, workload, call => workSeconds(call, serviceTime))
}
