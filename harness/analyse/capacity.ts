import type { Block, CallSample, ClosedLoop, OpenLoopWorkload } from '../types.js'
import { estimateCapacity } from '../load/capacity.js'

/** Answers per second of the closed loops of one block, together; 0 when one was too short for an estimate. */
export function capacityPerSecond (block: Block, workload: OpenLoopWorkload): number {
  const last = workload.capacityCalls === undefined ? 'let finish' : 'given up'
  const estimates = loopsOf(block).map(calls => estimateCapacity(calls, workload.closedLoopClients, last))
  let [answers, seconds] = [0, 0]
  for (const estimate of estimates) {
    if (estimate === undefined) return 0
    answers += estimate.answers
    seconds += (estimate.toMs - estimate.fromMs) / 1000
  }
  return seconds > 0 ? answers / seconds : 0
}

/** Calls of each closed loop; without stamps there was one. */
export function loopsOf ({ calls, evidence: { closedLoops } }: Block): CallSample[][] {
  const own = calls.filter(({ phase }) => phase === 'capacity')
  return closedLoops === undefined ? [own] : closedLoops.map(loop => own.filter(call => within(call, loop)))
}

function within ({ sentMs }: CallSample, { fromMs, toMs }: ClosedLoop): boolean {
  return sentMs >= fromMs && sentMs <= toMs
}
