import { defaultOutcomes, outcomesOfConversations } from '../analyse/outcomes.js'
import { fewestPairs } from '../analyse/verdict.js'
import { floorOf, percentileNames } from '../stats/percentile.js'
import type { BlockPlan, OpenLoopPlan, OpenLoopWorkload, ServiceTime } from '../types.js'
import { blocksInOrder } from './order.js'
import { headOfPlan, type PlanInput } from './plan.js'
import { closedLoopsOf, type Preset } from './presets.js'
import { burstOf, classesOf, conversationsOf, countFor, usualClasses, windowSecondsOf, type ClassSpec, type TrafficSpec } from './traffic.js'
import type { Rate } from './workload.js'

/** What one unloaded server did in the calibration. */
export interface Calibration {
  /** Median TTFT of calls one at a time, per workload class, milliseconds. */
  readonly unloadedTtftMs: Readonly<Record<string, number>>
  readonly capacityPerSecond: number
  readonly answers: number
  readonly serviceTime?: ServiceTime
}

export interface OpenLoopInput extends PlanInput {
  readonly classes: readonly ClassSpec[]
  readonly rate: Rate
  readonly traffic?: TrafficSpec
  readonly slots: number
  /** `--slo-ttft-ms`; absent: the experiment's multiple, or else `limitMultiple`, of the unloaded TTFT of each class. */
  readonly ttftLimitMs?: number
  /** Without knobs: the limit and the rate are those of the undisturbed server in all conditions. */
  readonly calibration: Calibration
}

/** A client gives up on interactive use at about eight times what an idle server needs to its first token. */
export const limitMultiple = 8

/** Such machines change their speed by a quarter and more from one minute to the next, and by less all the time. */
const MACHINE_WITHIN = 1.2

/** Pure: the same input gives the same plan, to the byte. */
export function openLoopDraft (input: OpenLoopInput): Omit<OpenLoopPlan, 'predictions'> {
  const { preset, calibration, traffic = {} } = input
  const classes = classesOf(input.classes, calibration)
  const ownLimitMs = ({ name }: ClassSpec): number => input.ttftLimitMs ?? Math.ceil((traffic.limitMultiple ?? limitMultiple) * (calibration.unloadedTtftMs[name] ?? NaN) / 50) * 50
  const longestLimitMs = Math.max(...usualClasses(input.classes).map(ownLimitMs))
  const ttftLimitMs = Object.fromEntries(input.classes.map(cls => [cls.name, cls.interference === true ? longestLimitMs : ownLimitMs(cls)]))
  const longestLimitSeconds = longestLimitMs / 1000
  const round = (seconds: number): number => Math.round(seconds * 10) / 10
  const rampSeconds = traffic.rampSeconds ?? round(1.5 * longestLimitSeconds)
  const window = windowSecondsOf(traffic, preset) ?? windowSeconds(preset, input.repeats, calibration.capacityPerSecond)
  const workload: OpenLoopWorkload = {
    kind: 'open-loop',
    classes,
    ratePerSecond: 'perSecond' in input.rate ? input.rate.perSecond : Number((input.rate.timesCapacity * calibration.capacityPerSecond).toFixed(3)),
    ...(traffic.burst === undefined || input.quiet ? {} : { burst: burstOf(traffic.burst, classes, rampSeconds + window, calibration.capacityPerSecond) }),
    ...(traffic.conversations === undefined ? {} : { conversations: conversationsOf(traffic.conversations, input.slots, !input.quiet) }),
    ...(traffic.workers === undefined ? {} : { workers: countFor(traffic.workers.perSlot, input.slots) }),
    ...(traffic.grants === undefined ? {} : { grants: traffic.grants as NonNullable<OpenLoopWorkload['grants']> }),
    rampSeconds,
    windowSeconds: window,
    drainSeconds: round(longestLimitSeconds + 1.5),
    capacitySeconds: 2,
    ...closedLoopsOf(preset, window),
    closedLoopClients: input.slots,
    ttftLimitMs
  }
  const judgedSeconds = input.repeats * workload.windowSeconds
  const perArrival = classes.reduce((sum, { share, together }) => sum + share * (together?.calls ?? 1), 0)
  // Workers offer as much as is answered.
  const perSecond = workload.workers === undefined ? workload.ratePerSecond : calibration.capacityPerSecond
  const offered = input.repeats * (workload.windowSeconds * perSecond + burstInWindow(workload)) * perArrival
  const answered = Math.round(Math.min(offered, judgedSeconds * calibration.capacityPerSecond))
  const head = headOfPlan(input)
  const spare = sparePairs(input, head.blocks.length)
  return {
    ...head,
    ...(spare.length === 0 ? {} : { spare: { machineWithin: MACHINE_WITHIN, blocks: spare } }),
    workload,
    calibration: {
      unloadedTtftMs: calibration.unloadedTtftMs[input.classes[0]?.name ?? ''] ?? NaN,
      capacityPerSecond: calibration.capacityPerSecond,
      answers: calibration.answers,
      ...(calibration.serviceTime === undefined ? {} : { serviceTime: calibration.serviceTime })
    },
    outcomes: traffic.conversations === undefined ? defaultOutcomes : outcomesOfConversations,
    expected: {
      offeredPerCondition: Math.round(offered),
      answeredPerCondition: answered,
      unsupported: percentileNames.filter(name => answered < floorOf[name]).map(name => `${name} of answered (needs ${floorOf[name]}, about ${answered} expected)`),
      verdict: input.repeats >= fewestPairs || input.conditions.every(({ baseline }) => baseline === undefined)
    }
  }
}

/** They go on where the plan's own blocks end, in the same order. Where conditions differ in more than policies, that acts on the closed loops, too, which then tell nothing of the machine. */
function sparePairs ({ design, conditions, repeats, seed, preset }: OpenLoopInput, after: number): BlockPlan[] {
  const servers = new Set(conditions.map(({ knobs, threads, model }) => JSON.stringify([knobs, threads, model])))
  if (design !== 'pairs' || servers.size > 1) return []
  return blocksInOrder(design, conditions.map(({ id }) => id), repeats + Math.ceil(preset.spareShare * repeats), seed).slice(after)
}

/** Its calls that are judged. */
function burstInWindow ({ burst, rampSeconds, windowSeconds }: OpenLoopWorkload): number {
  if (burst === undefined) return 0
  const { fromSeconds, seconds, ratePerSecond } = burst
  return ratePerSecond * Math.max(0, Math.min(fromSeconds + seconds, rampSeconds + windowSeconds) - Math.max(fromSeconds, rampSeconds))
}

/** Long enough for a p99 of the answered calls where the preset's longest window can carry one; a p99 out of reach costs no time. */
function windowSeconds ({ windowSeconds: { usual, longest } }: Preset, repeats: number, capacityPerSecond: number): number {
  const needed = Math.ceil(10 * 1.03 * floorOf.p99 / (repeats * capacityPerSecond)) / 10
  return needed <= longest ? Math.max(usual, needed) : usual
}
