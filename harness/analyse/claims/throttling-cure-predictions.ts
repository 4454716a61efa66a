import type { Manifest, Prediction } from '../../types.js'
import { calibratedServer } from '../../plan/streams-plan.js'
import { number } from '../verdict.js'
import { quotaOf } from './cpu-quota-cells.js'
import type { PlanDraft } from './contract.js'
import { unbounded } from './leg.js'

/** Ids of the predictions of a mitigation against a CPU quota. */
export const cureIds = {
  p99: 'itl-p99-ratio',
  rate: 'tokens-per-second-ratio',
  runQueue: 'run-queue-wait-ratio',
  throttledBefore: 'throttled-share-before',
  throttledAfter: 'throttled-share-after',
  stallBefore: 'stall-before',
  median: 'median-gap-ratio',
  waits: 'long-waits-per-throttled-period',
  quiet: 'quiet-itl-p99-ratio',
  quietRunQueue: 'quiet-run-queue-wait',
  quietMedian: 'quiet-median-gap-ratio',
  quietThrottled: 'quiet-throttled-periods'
} as const

/** What a mitigation promises where no quota is: nothing that matters. */
export function quietPredictions (): Prediction[] {
  return [
    { id: cureIds.quiet, metric: 'itl-p99', statement: 'without a quota the gap p99 is the same with and without it: the whole interval of the ratio', lo: 1 / 1.1, hi: 1.1 },
    { id: cureIds.quietRunQueue, metric: 'run-queue-wait', statement: 'run-queue wait of llama-server ÷ time, with less without', lo: -0.1, hi: 0.1 },
    { id: cureIds.quietMedian, metric: 'itl-p50', statement: 'median gap with ÷ without', lo: 1 / 1.1, hi: 1.1 },
    { id: cureIds.quietThrottled, metric: 'throttled-periods', statement: 'without a quota no period is throttled, in either arm', lo: 0, hi: 0 }
  ]
}

/**
 * What a mitigation must do to a server that its quota stops: gone are the stops and the tail that they made, and nothing else got faster.
 * @param steady the load is never idle, so that the stall before is period − quota ÷ CPUs used at once, and most periods are throttled
 */
export function curePredictions (draft: PlanDraft, manifest: Manifest, { steady }: { readonly steady: boolean }): Prediction[] {
  if (draft.workload.kind !== 'streams') return []
  return [
    { id: cureIds.p99, metric: 'itl-p99', statement: 'gap p99 after ÷ before: upper end of the interval', lo: 0, hi: 0.5 },
    { id: cureIds.rate, metric: 'tokens-per-second', statement: 'tokens/s after ÷ before: lower end of the interval; the tail is not bought with the rate', lo: 0.9, hi: unbounded },
    { id: cureIds.runQueue, metric: 'run-queue-wait', statement: 'time that threads of llama-server were runnable without a CPU, after ÷ before', lo: 0, hi: 0.5 },
    { id: cureIds.throttledBefore, metric: 'throttled-periods', statement: `nr_throttled ÷ nr_periods before: ${steady ? 'most periods' : 'those that a call fell into'}`, lo: steady ? 0.6 : 0.2, hi: 1 },
    { id: cureIds.throttledAfter, metric: 'throttled-periods', statement: 'nr_throttled ÷ nr_periods after', lo: 0, hi: 0.1 },
    ...steady ? stallBefore(draft, manifest) : [],
    { id: cureIds.median, metric: 'itl-p50', statement: 'median gap after ÷ before: between the stops the server was as fast', lo: 0.75, hi: 1.33 },
    { id: cureIds.waits, metric: 'itl', statement: 'long waits for a token before ÷ nr_throttled before: each was a throttled period', lo: 0.8, hi: 1.2 }
  ]
}

function stallBefore (draft: PlanDraft, manifest: Manifest): Prediction[] {
  const before = draft.conditions.find(({ id }) => id === 'before')
  const quota = before === undefined ? undefined : quotaOf(before)
  if (before === undefined || quota === undefined || !('servers' in draft.calibration)) return []
  const server = calibratedServer({ calibration: draft.calibration }, before, manifest)
  if (server === undefined || server.cpusUsed === null) return []
  const stallMs = quota.periodMs - quota.quotaMs / server.cpusUsed
  if (stallMs < 2 * server.gapMs) throw new Error(`${draft.experiment}: a quota of ${quota.quotaMs} ms in each ${quota.periodMs} ms does not stop a server that uses ${server.cpusUsed} CPUs at once, so that there is nothing to cure; this machine is not one to show it on`)
  return [{ id: cureIds.stallBefore, metric: 'itl', statement: `before: median long gap − median gap, ms: ${quota.periodMs} − ${quota.quotaMs} ÷ CPUs used at once unthrottled = ${number(stallMs)}, ± 20 %`, lo: 0.8 * stallMs, hi: 1.2 * stallMs }]
}
