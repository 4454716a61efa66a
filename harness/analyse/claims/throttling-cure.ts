import type { Claim, Contrast, Leg, Plan } from '../../types.js'
import { ofCondition } from '../gate.js'
import type { StreamsView } from '../streams-summary.js'
import { gapsOf, growth, quotaOf, runQueueWaitShare } from './cpu-quota-cells.js'
import { allOf, bandLeg, both, contrastLeg, predictionOf } from './leg.js'
import { cureIds as ids } from './throttling-cure-predictions.js'
import { ratio } from '../ratio.js'

const client = 'load generator (calls.ndjson)'
const cpuStat = 'cpu.stat of the group (nr_throttled, nr_periods)'

export interface Cure {
  readonly id: string
  readonly statement: string
  readonly explanation: string
  /** Beside those that all mitigations against a quota have in common. */
  readonly mechanism?: (plan: Plan, views: readonly StreamsView[]) => Leg
}

/** A mitigation against a CPU quota, toggled in `after`; on the quiet host it must change nothing. */
export function cureClaim (cure: Cure, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  const legs = plan.quiet ? quietLegs(plan, views, contrasts) : cureLegs(cure, plan, views, contrasts)
  const predicted = predictionOf(plan, plan.quiet ? ids.quiet : ids.p99)
  return {
    id: cure.id,
    statement: plan.quiet ? `Without a quota it changes nothing (${cure.id})` : cure.statement,
    predicted: predicted?.statement ?? 'nothing was predicted before the run',
    status: Object.values(legs).every(leg => leg.status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED',
    ...legs,
    explanation: cure.explanation
  }
}

type Legs = Pick<Claim, 'application' | 'os' | 'control' | 'mechanism'>

function cureLegs (cure: Cure, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Legs {
  const of = (id: string): Contrast | undefined => contrasts.find(contrast => contrast.id === id)
  const [before, after] = [runQueueWaitShare(views, 'before'), runQueueWaitShare(views, 'after')]
  const mechanism = [
    bandLeg('throttled share of the periods before', cpuStat, throttledShare(views, 'before'), predictionOf(plan, ids.throttledBefore)),
    bandLeg('after', cpuStat, throttledShare(views, 'after'), predictionOf(plan, ids.throttledAfter))
  ] as const
  return {
    application: allOf([
      contrastLeg('gap p99 after ÷ before, upper end of the interval', client, of('itl-p99'), 'upper end', predictionOf(plan, ids.p99)),
      contrastLeg('tokens/s after ÷ before, lower end of the interval', client, of('tokens-per-second'), 'lower end', predictionOf(plan, ids.rate))
    ]),
    os: bandLeg('time that its threads were runnable and had no CPU, after ÷ before', before.source, ratio(after.share, before.share), predictionOf(plan, ids.runQueue), both(before.share, after.share)),
    control: controlLeg(plan, views),
    mechanism: cure.mechanism === undefined ? allOf(mechanism) : allOf([...mechanism, cure.mechanism(plan, views)])
  }
}

/** Nothing but the stops is cured, and nothing but the quota made them. */
function controlLeg (plan: Plan, views: readonly StreamsView[]): Leg {
  const { before, usual, after } = spectrum(plan, views)
  return allOf([
    bandLeg('median gap after ÷ before', client, ratio(after.medianMs, usual.medianMs), predictionOf(plan, ids.median), both(usual.medianMs, after.medianMs)),
    bandLeg('long waits for a token before ÷ nr_throttled', `${client}; ${cpuStat}`, ratio(before.longWaits, growth(views, 'before', 'throttledPeriods')), predictionOf(plan, ids.waits))
  ])
}

/** Where the load is never idle: the stop that a quota predicts. */
export function stallLeg (plan: Plan, views: readonly StreamsView[]): Leg {
  return bandLeg('stall before, ms', `${client}; u from /proc/PID/stat of the calibration`, spectrum(plan, views).before.stallMs, predictionOf(plan, ids.stallBefore))
}

/** A gap is long from a twentieth of the period on, and from four median gaps: nearly every stop is longer, a slow token shorter. */
function spectrum (plan: Plan, views: readonly StreamsView[]) {
  const condition = plan.conditions.find(({ id }) => id === 'before')
  const periodMs = condition === undefined ? undefined : quotaOf(condition)?.periodMs
  const [usual, after] = [gapsOf(views, 'before'), gapsOf(views, 'after')]
  const longMs = Math.max((periodMs ?? Infinity) / 20, 4 * (usual.medianMs ?? 0))
  const ttftMs = Math.min(usual.ttftMs ?? Infinity, after.ttftMs ?? Infinity)
  return { usual, after, before: gapsOf(views, 'before', { gapMs: longMs, ttftMs: ttftMs + longMs }) }
}

function quietLegs (plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Legs {
  const [before, after] = [runQueueWaitShare(views, 'before'), runQueueWaitShare(views, 'after')]
  const [without, withIt] = [gapsOf(views, 'before').medianMs, gapsOf(views, 'after').medianMs]
  const p99 = contrasts.find(({ id }) => id === 'itl-p99')
  return {
    application: allOf([
      contrastLeg('gap p99 with ÷ without, lower end of the interval', client, p99, 'lower end', predictionOf(plan, ids.quiet)),
      contrastLeg('upper end', client, p99, 'upper end', predictionOf(plan, ids.quiet))
    ]),
    os: bandLeg('run-queue wait ÷ time, with less without', before.source, before.share === null || after.share === null ? null : after.share - before.share, predictionOf(plan, ids.quietRunQueue), both(before.share, after.share)),
    control: neverThrottled(plan, views),
    mechanism: bandLeg('median gap with ÷ without', client, ratio(withIt, without), predictionOf(plan, ids.quietMedian), both(without, withIt))
  }
}

/** A server without a group of its own cannot be throttled: no knob asked for one. */
function neverThrottled (plan: Plan, views: readonly StreamsView[]): Leg {
  const grouped = views.filter(({ block }) => block.evidence.group !== undefined).map(({ summary }) => summary.group.throttledPeriods)
  const periods = views.length === 0 || grouped.includes(undefined) ? null : grouped.reduce<number>((sum, value) => sum + (value ?? 0), 0)
  return bandLeg(grouped.length === 0 ? 'throttled periods (llama-server has no group of its own)' : 'throttled periods in both arms', cpuStat, periods, predictionOf(plan, ids.quietThrottled))
}

function throttledShare (views: readonly StreamsView[], id: string): number | null {
  const own = ofCondition(views, id).map(({ summary: { group } }) => group)
  if (own.length === 0 || own.some(({ periods, throttledPeriods }) => periods === undefined || throttledPeriods === undefined)) return null
  return ratio(own.reduce((sum, { throttledPeriods = 0 }) => sum + throttledPeriods, 0), own.reduce((sum, { periods = 0 }) => sum + periods, 0))
}
