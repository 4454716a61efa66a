/** Answers counted by their work, the seconds that they are predicted to take on an idle server: where lengths differ, one answer is not as much as another. */
import { ENOUGH, partsInside } from '../load/capacity.js'
import { workSeconds } from '../plan/service-time.js'
import type { Block, CallSample, OpenLoopWorkload, ServiceTime } from '../types.js'
import { loopsOf } from './capacity.js'
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

/**
 * Work per second of the closed loops of a block, together, from the end of the first call (cold until then) to the end of the loop; all clients are busy all the while. Each answered call counts
 * with the part of its life that lies inside, those given up at the end with as much as the answered ones did in as long a time (slots share the machine). `estimateCapacity` begins when each
 * client has had an answer; where lengths differ that is at the end of a long one, and little is left. 0 when a loop has no more answers than clients.
 */
export function workCapacity (block: Block, { closedLoopClients }: OpenLoopWorkload, serviceTime: ServiceTime): number {
  let [work, seconds] = [0, 0]
  for (const calls of loopsOf(block)) {
    const answered = calls.filter(({ outcome }) => outcome === 'answered')
    if (answered.length <= closedLoopClients) return 0
    const [fromMs, toMs] = [Math.min(...answered.map(({ doneMs }) => doneMs)), Math.max(...calls.map(({ doneMs }) => doneMs))]
    const perMs = answered.reduce((sum, call) => sum + workSeconds(call, serviceTime), 0) / livesMs(answered, -Infinity)
    work += workInside(answered, fromMs, toMs, serviceTime) + perMs * livesMs(calls.filter(({ reason }) => reason === ENOUGH), fromMs)
    seconds += (toMs - fromMs) / 1000
  }
  return seconds > 0 ? work / seconds : 0
}

function livesMs (calls: readonly CallSample[], fromMs: number): number {
  return calls.reduce((sum, { sentMs, doneMs }) => sum + doneMs - Math.max(sentMs, fromMs), 0)
}
