import { createHash } from 'node:crypto'
import { defaultOutcomes } from '../analyse/outcomes.js'
import { floorOf, percentileNames } from '../stats/percentile.js'
import type { BlockPlan, Condition, Plan, Prediction, Workload, WorkloadClass } from '../types.js'
import type { Preset } from './presets.js'
import type { Rate } from './workload.js'

/** What one unloaded server did in the calibration. */
export interface Calibration {
  /** Median TTFT of calls one at a time, per workload class, milliseconds. */
  readonly unloadedTtftMs: Readonly<Record<string, number>>
  readonly capacityPerSecond: number
  readonly answers: number
}

export interface PlanInput {
  readonly experiment: string
  readonly question: string
  readonly preset: Preset
  readonly pairs: number
  readonly seed: number
  readonly conditions: readonly Condition[]
  readonly classes: readonly WorkloadClass[]
  readonly rate: Rate
  readonly slots: number
  /** `--slo-ttft-ms`; absent: `limitMultiple` × the unloaded TTFT of each class. */
  readonly ttftLimitMs?: number
  readonly calibration: Calibration
  readonly predictions: readonly Prediction[]
  readonly createdAt: string
}

/** A client gives up on interactive use at about eight times what an idle server needs to its first token. */
export const limitMultiple = 8

/** Pure: the same input gives the same plan, to the byte. */
export function makePlan (input: PlanInput): Plan {
  const { preset, calibration } = input
  const ttftLimitMs = Object.fromEntries(input.classes.map(c => {
    const unloaded = calibration.unloadedTtftMs[c.name] ?? NaN
    return [c.name, input.ttftLimitMs ?? Math.ceil(limitMultiple * unloaded / 50) * 50]
  }))
  const longestLimitSeconds = Math.max(...Object.values(ttftLimitMs)) / 1000
  const round = (seconds: number): number => Math.round(seconds * 10) / 10
  const workload: Workload = {
    classes: input.classes,
    ratePerSecond: 'perSecond' in input.rate ? input.rate.perSecond : Number((input.rate.timesCapacity * calibration.capacityPerSecond).toFixed(3)),
    rampSeconds: round(2 * longestLimitSeconds),
    windowSeconds: windowSeconds(preset, input.pairs, calibration.capacityPerSecond),
    drainSeconds: round(longestLimitSeconds + 1.5),
    capacitySeconds: Math.max(3, round(preset.capacityRounds * input.slots / calibration.capacityPerSecond)),
    closedLoopClients: input.slots,
    ttftLimitMs
  }
  const judgedSeconds = input.pairs * workload.windowSeconds
  const offeredPerArm = Math.round(judgedSeconds * workload.ratePerSecond)
  const answeredPerArm = Math.round(judgedSeconds * Math.min(workload.ratePerSecond, calibration.capacityPerSecond))
  return {
    schemaVersion: 1,
    experiment: input.experiment,
    question: input.question,
    preset: preset.name,
    seed: input.seed,
    conditions: input.conditions,
    workload,
    calibration: {
      unloadedTtftMs: calibration.unloadedTtftMs[input.classes[0]?.name ?? ''] ?? NaN,
      capacityPerSecond: calibration.capacityPerSecond,
      answers: calibration.answers
    },
    blocks: abba(input.pairs, input.seed),
    outcomes: defaultOutcomes,
    predictions: input.predictions,
    alpha: 0.05,
    expected: {
      offeredPerArm,
      answeredPerArm,
      unsupported: percentileNames.filter(name => answeredPerArm < floorOf[name]).map(name => `${name} of answered (needs ${floorOf[name]}, about ${answeredPerArm} expected)`),
      verdict: input.pairs >= 6
    },
    createdAt: input.createdAt
  }
}

/** before after after before …: a drift that is linear in time cancels. Both blocks of a pair get the same trace. */
export function abba (pairs: number, seed: number): BlockPlan[] {
  return Array.from({ length: pairs }, (_, i) => {
    const arms = i % 2 === 0 ? ['before', 'after'] as const : ['after', 'before'] as const
    return arms.map((arm, j) => ({ index: 2 * i + j + 1, pair: i + 1, arm, traceSeed: seed * 1000 + i + 1 }))
  }).flat()
}

/** The bytes of plan.json; their hash ties a result to what was named before the run. */
export function planBytes (plan: Plan): { readonly bytes: string, readonly sha256: string } {
  const bytes = JSON.stringify(plan, null, 2) + '\n'
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Long enough for a p99 of the answered calls where the preset's longest window can carry one; a p99 out of reach costs no time. */
function windowSeconds ({ windowSeconds: { usual, longest } }: Preset, pairs: number, capacityPerSecond: number): number {
  const needed = Math.ceil(10 * 1.03 * floorOf.p99 / (pairs * capacityPerSecond)) / 10
  return needed <= longest ? Math.max(usual, needed) : usual
}

/** Seconds for a whole run before its calibration is known: limits of about a second are assumed. */
export function expectedSeconds (preset: Preset): number {
  const block = 2.5 + 1.5 * preset.capacityRounds + preset.windowSeconds.usual + 6
  return 2 * preset.pairs * block + 2 * preset.calibrationSeconds + 0.4 * preset.unloadedCalls + 3
}

/** Seconds of a block until its parts begin, and in all: about 2.5 s for starts and stops, one round for the end of the closed loop. */
export function blockSeconds ({ workload, calibration }: Plan): { readonly capacity: number, readonly load: number, readonly whole: number } {
  const round = workload.closedLoopClients / calibration.capacityPerSecond
  const load = 1.5 + workload.capacitySeconds + round
  return { capacity: 1.5, load, whole: load + workload.rampSeconds + workload.windowSeconds + workload.drainSeconds + 1 }
}

export function plannedSeconds (plan: Plan): number {
  return plan.blocks.length * blockSeconds(plan).whole
}
