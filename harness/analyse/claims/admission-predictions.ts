import type { Prediction, PresetName } from '../../types.js'
import { unbounded } from './leg.js'

/** Sockets to llama-server beyond one a slot: the gateway's poller, kept-alive ones of its pool, and calls it is just letting go of. */
const poolAllowance = 4

/** Ids of the predictions on which the claim `admission-keeps-capacity-good` rests. */
export const admissionPredictionIds = {
  goodPerCapacity: 'good-per-capacity',
  ttftWithinLimit: 'ttft-p95-within-limit',
  socketsAfter: 'sockets-after',
  socketsRatio: 'sockets-before-to-after',
  closedLoopCpu: 'closed-loop-cpu-per-token-lower-end',
  cpuPerToken: 'cpu-per-token-under-load',
  yardstickCpu: 'cpu-per-token-load-to-closed-loop',
  deferredAfter: 'requests-deferred-after',
  deferredBefore: 'requests-deferred-before'
} as const

/** Overload at which a server without admission still gives next to nothing: a faster machine explains a gain only when it leaves less than this. */
const STILL_OVERLOADED = 1.25
/** A difference in CPU time per token that would matter. */
const MATTERS = 1.1
/** Lower end of the interval of good requests/s ÷ capacity, by what the pairs of a preset can tell on a machine whose speed varies; two pairs of `smoke` tell next to nothing. */
const GOOD_TO_CAPACITY: Readonly<Record<PresetName, number>> = { smoke: 0.85, laptop: 0.92, overnight: 0.97 }

/**
 * What admission must show under overload, written into the plan before the first run.
 * @param slots places of llama-server (`-np`)
 * @param overload offered requests/s ÷ calibrated capacity
 */
export function admissionPredictions (slots: number, overload: number, preset: PresetName): Prediction[] {
  const ids = admissionPredictionIds
  // The likeliest other explanation of the gain is a machine that was faster in the blocks with admission. At twice the capacity one that is 1.3 times faster is
  // still overloaded half as much again, and an overloaded server without admission is what the claim is about; so the floor follows from the overload.
  const floor = Math.min(1 / MATTERS, STILL_OVERLOADED / overload)
  return [
    { id: ids.goodPerCapacity, metric: 'good-per-capacity', statement: 'with admission the lower end of the interval of good requests/s ÷ capacity of the same block is at least this', lo: GOOD_TO_CAPACITY[preset], hi: unbounded },
    { id: ids.ttftWithinLimit, metric: 'ttft', statement: 'with admission the p95 of (TTFT ÷ limit of its class) of answered calls is at most 1', lo: 0, hi: 1 },
    { id: ids.socketsAfter, metric: 'server-sockets', statement: `with admission at most ${slots} slots + ${poolAllowance} pooled sockets are established to llama-server`, lo: 0, hi: slots + poolAllowance },
    { id: ids.socketsRatio, metric: 'server-sockets', statement: 'without admission at least twice as many sockets as with it', lo: 2, hi: unbounded },
    { id: ids.closedLoopCpu, metric: 'closed-loop-cpu-per-token', statement: `CPU time per token of the block's closed loops, with ÷ without admission, lower end of the interval: a machine that was faster with admission by less than this floor says is still overloaded ${STILL_OVERLOADED} times or more`, lo: floor, hi: unbounded },
    // No lower end: calls that wait inside llama-server cost it CPU (connections, templates, tokens), which admission saves; the more, the larger the overload.
    { id: ids.cpuPerToken, metric: 'server-cpu-per-token', statement: 'under load llama-server needs no more CPU time per token with admission than without', lo: 0, hi: MATTERS },
    { id: ids.yardstickCpu, metric: 'server-cpu-per-token', statement: 'with admission llama-server needs as much CPU time per token under load as in the closed loop of the same block: the machine did not get faster between the yardstick and what is held against it', lo: 1 / MATTERS, hi: MATTERS },
    { id: ids.deferredAfter, metric: 'requests-deferred', statement: 'with admission nothing waits in llama-server’s hidden queue (median)', lo: 0, hi: 0 },
    { id: ids.deferredBefore, metric: 'requests-deferred', statement: 'without admission calls wait in llama-server’s hidden queue (median)', lo: 1, hi: unbounded }
  ]
}
