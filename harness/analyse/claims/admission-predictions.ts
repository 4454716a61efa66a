import type { Prediction } from '../../types.js'
import { unbounded } from './leg.js'

/** Sockets to llama-server beyond one a slot: the gateway's poller, kept-alive ones of its pool, and calls it is just letting go of. */
const poolAllowance = 4

/** Ids of the predictions on which the claim `admission-keeps-capacity-good` rests. */
export const admissionPredictionIds = {
  goodPerCapacity: 'good-per-capacity',
  ttftWithinLimit: 'ttft-p95-within-limit',
  socketsAfter: 'sockets-after',
  socketsRatio: 'sockets-before-to-after',
  closedLoopCpu: 'closed-loop-cpu-per-token-ratio',
  cpuPerToken: 'cpu-per-token-ratio',
  deferredAfter: 'requests-deferred-after',
  deferredBefore: 'requests-deferred-before'
} as const

/**
 * What admission must show under overload, written into the plan before the first run.
 * @param slots places of llama-server (`-np`)
 */
export function admissionPredictions (slots: number): Prediction[] {
  const ids = admissionPredictionIds
  return [
    { id: ids.goodPerCapacity, metric: 'good-per-capacity', statement: 'with admission the lower end of the interval of good requests/s ÷ capacity of the same block is at least this', lo: 0.85, hi: unbounded },
    { id: ids.ttftWithinLimit, metric: 'ttft', statement: 'with admission the p95 of (TTFT ÷ limit of its class) of answered calls is at most 1', lo: 0, hi: 1 },
    { id: ids.socketsAfter, metric: 'server-sockets', statement: `with admission at most ${slots} slots + ${poolAllowance} pooled sockets are established to llama-server`, lo: 0, hi: slots + poolAllowance },
    { id: ids.socketsRatio, metric: 'server-sockets', statement: 'without admission at least twice as many sockets as with it', lo: 2, hi: unbounded },
    { id: ids.closedLoopCpu, metric: 'closed-loop-cpu-per-token', statement: 'the CPU time per token of the closed loop before the load is equal in both arms (whole interval): the machine did not get faster', lo: 1 / 1.1, hi: 1.1 },
    // No lower end: calls that wait inside llama-server cost it CPU (connections, templates, tokens), which admission saves; the more, the larger the overload.
    { id: ids.cpuPerToken, metric: 'server-cpu-per-token', statement: 'under load llama-server needs no more CPU time per token with admission than without (whole interval)', lo: 0, hi: 1.1 },
    { id: ids.deferredAfter, metric: 'requests-deferred', statement: 'with admission nothing waits in llama-server’s hidden queue (median)', lo: 0, hi: 0 },
    { id: ids.deferredBefore, metric: 'requests-deferred', statement: 'without admission calls wait in llama-server’s hidden queue (median)', lo: 1, hi: unbounded }
  ]
}
