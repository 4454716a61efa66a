import type { Claim, Contrast, Leg, OpenLoopPlan, OsSample, Plan, Prediction } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { gauge } from '../gauge.js'
import { isOpenLoop } from '../plan-kind.js'
import { geometricMean, ratio } from '../ratio.js'
import { ttftToLimitP95 } from '../ttft-to-limit.js'
import { number } from '../verdict.js'
import { admissionPredictionIds as ids, admissionPredictions } from './admission-predictions.js'
import type { ClaimEntry } from './contract.js'
import { allOf, bandLeg, contrastLeg, missingLeg, predictionOf, withStatus } from './leg.js'
import { LOAD } from './sources.js'

const explanation = 'llama-server puts every request beyond its slots into one first-in-first-out queue without length limit, time limit or refusal. ' +
  'Offered more than its capacity, that queue grows for as long as the load lasts, each call waits for all before it, and soon every answer comes after its limit: ' +
  'the server works at full speed on answers that no longer count. Admission lets in as many calls as there are slots, keeps the rest outside in a queue that is ' +
  'short and bounded, and refuses at once what could not be answered in time. The server is as busy as before and not faster, but it works only on answers which count.'

export const admission: ClaimEntry = {
  id: 'admission-keeps-capacity-good',
  predictions: (draft, { server }) => isOpenLoop(draft) ? admissionPredictions(server.slots, draft.workload.ratePerSecond / draft.calibration.capacityPerSecond, draft.preset) : [],
  claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [admissionClaim(plan, openLoop, contrasts)] : []
}

/** Under overload admission turns nearly the whole capacity into good answers, because the queue moved out of llama-server. */
function admissionClaim (plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Claim {
  const legs = {
    application: applicationLeg(plan, views, contrasts),
    os: socketsLeg(plan, views),
    control: isOfEarlierPlan(plan) ? cpuLegOfEarlierPlans(plan, contrasts) : cpuLeg(plan, views, contrasts),
    mechanism: deferredLeg(plan, views)
  }
  const predicted = predictionOf(plan, ids.goodPerCapacity)
  return withStatus({
    id: admission.id,
    statement: 'Under overload, admission turns nearly all of the server’s capacity into good answers because the queue moved out of llama-server',
    predicted: predicted === undefined ? 'nothing was predicted before the run' : `good requests/s ÷ capacity: lower end of the interval at least ${number(predicted.lo)}`,
    ...legs,
    explanation
  })
}

function applicationLeg (plan: OpenLoopPlan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Leg {
  const source = LOAD
  const share = contrasts.find(contrast => contrast.id === 'good-per-capacity')
  return allOf([
    contrastLeg('good requests/s ÷ capacity with admission, lower end of the interval', source, share, 'lower end', predictionOf(plan, ids.goodPerCapacity)),
    bandLeg('p95 of TTFT ÷ limit of the answered calls with admission', source, ttftToLimitP95(plan, views, 'after'), predictionOf(plan, ids.ttftWithinLimit))
  ])
}

function socketsLeg (plan: Plan, views: readonly OpenLoopView[]): Leg {
  const source = 'ss (established TCP connections to llama-server’s port)'
  const before = gauge(views, 'before', sample => sample.serverSockets)
  const after = gauge(views, 'after', sample => sample.serverSockets)
  if (before === null || after === null) return missingLeg('sockets to llama-server', source, 'no reading in the judged windows of both arms')
  return allOf([
    bandLeg('median sockets to llama-server with admission', source, after, predictionOf(plan, ids.socketsAfter)),
    bandLeg('sockets without ÷ with admission', source, before / Math.max(1, after), predictionOf(plan, ids.socketsRatio), [before, after])
  ])
}

const cpuSource = '/proc/PID/stat of llama-server and content chunks of the load generator'

/**
 * Was the machine faster with admission? Between the arms the closed loops say it: under load alone, CPU time per token cannot tell a faster machine from calls that no
 * longer wait inside llama-server. Between a block's yardstick and its load the same block does.
 */
function cpuLeg (plan: Plan, views: readonly OpenLoopView[], contrasts: readonly Contrast[]): Leg {
  const closedLoop = contrasts.find(one => one.id === 'closed-loop-cpu-per-token')
  const load = contrasts.find(one => one.id === 'server-cpu-per-token')
  return allOf([
    contrastLeg('CPU time per token in the closed loops of a block, with ÷ without admission, lower end of its interval', cpuSource, closedLoop, 'lower end', predictionOf(plan, ids.closedLoopCpu)),
    contrastLeg('the same under load, ratio', cpuSource, load, 'ratio', predictionOf(plan, ids.cpuPerToken)),
    bandLeg('with admission, under load ÷ in the closed loop of the same block', cpuSource, loadToClosedLoop(views), predictionOf(plan, ids.yardstickCpu))
  ])
}

/** Geometric mean over the blocks with admission; null when one of them has no reading. */
function loadToClosedLoop (views: readonly OpenLoopView[]): number | null {
  return geometricMean(ofCondition(views, 'after').map(({ summary: { serverCpuUsecPerToken: load, closedLoopCpuUsecPerToken: own } }) => ratio(load, own)))
}

const earlierIds = { closedLoopCpu: 'closed-loop-cpu-per-token-ratio', cpuPerToken: 'cpu-per-token-ratio' } as const

/** Stored runs are judged by the bands that their plans named: then the whole intervals had to lie within a tenth. */
function isOfEarlierPlan (plan: Plan): boolean {
  return predictionOf(plan, earlierIds.cpuPerToken) !== undefined
}

/** The first plans demanded equality under load and said nothing of the closed loop. */
function cpuLegOfEarlierPlans (plan: Plan, contrasts: readonly Contrast[]): Leg {
  const load = cpuRatio('llama-server’s CPU time per generated token, with ÷ without admission', contrasts.find(one => one.id === 'server-cpu-per-token'), predictionOf(plan, earlierIds.cpuPerToken))
  if ((load.band?.[0] ?? 0) > 0) return load
  const closedLoop = contrasts.find(one => one.id === 'closed-loop-cpu-per-token')
  return allOf([cpuRatio('the same in the closed loops of a block', closedLoop, predictionOf(plan, earlierIds.closedLoopCpu)), load])
}

/** Ratio and both ends of its interval inside the band. */
function cpuRatio (statement: string, contrast: Contrast | undefined, prediction: Prediction | undefined): Leg {
  const interval = contrast?.ci95
  if (contrast === undefined || interval === null || interval === undefined) return missingLeg(statement, cpuSource, contrast?.because || 'not measured')
  const middle = contrastLeg(statement, cpuSource, contrast, 'ratio', prediction)
  return allOf([
    middle,
    bandLeg('lower end of its interval', cpuSource, interval[0], prediction),
    bandLeg('upper end of its interval', cpuSource, interval[1], prediction)
  ])
}

function deferredLeg (plan: Plan, views: readonly OpenLoopView[]): Leg {
  const source = 'llama-server’s gauge llamacpp:requests_deferred'
  const deferred = (sample: OsSample): number | undefined => sample.requestsDeferred
  return allOf([
    bandLeg('median calls in llama-server’s hidden queue with admission', source, gauge(views, 'after', deferred), predictionOf(plan, ids.deferredAfter)),
    bandLeg('without', source, gauge(views, 'before', deferred), predictionOf(plan, ids.deferredBefore))
  ])
}
