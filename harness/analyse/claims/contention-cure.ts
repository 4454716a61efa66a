import type { Claim, Contrast, Leg, LegFigure, Manifest, Plan, Prediction, StreamsPlan } from '../../types.js'
import { cpusOfOthers } from '../contention.js'
import { ofCondition } from '../gate.js'
import { isOpenLoop } from '../plan-kind.js'
import type { StreamsView } from '../streams-summary.js'
import { number } from '../verdict.js'
import { claimOf, figureLeg, queueLeg, rivalLegs, rivalPredictions } from './contention-legs.js'
import type { ClaimEntry, PlanDraft } from './contract.js'
import { allOf, bandLeg, contrastLeg, missingLeg, predictionOf, unbounded } from './leg.js'

export type StreamsDraft = Extract<PlanDraft, Omit<StreamsPlan, 'predictions'>>
export type Legs = Pick<Claim, 'application' | 'os' | 'control' | 'mechanism'>

/** Something that repairs what an interference breaks, and does nothing where there is none. */
export interface Cure {
  readonly id: string
  readonly name: string
  readonly explanation: string
  /** What blocks with it read back: it was on. */
  readonly readBack: readonly [what: string, value: RegExp]
}

/** One that gives llama-server back the CPU that hogs took from it. */
export interface Mitigation extends Cure {
  readonly statement: string
  /** What the primary outcome of `after` is, divided by `before`, under the interference. */
  cure (manifest: Manifest): { readonly metric: string, readonly lo: number, readonly hi: number }
  /** Shares of its time that llama-server stands in run queues, before and after. Of the compute threads by pidstat; without it its HTTP threads, which wait for the same CPU, are in it, so before there is no upper end below 1. */
  queue (manifest: Manifest): { readonly before: readonly [number, number], readonly after: readonly [number, number] }
  /** Further bands under the interference. */
  mechanism (draft: StreamsDraft): Prediction[]
  mechanismLeg (plan: Plan, views: readonly StreamsView[]): Leg
  /** CPUs that everybody else uses in both arms: the hogs have not gone. */
  readonly others: { readonly before: readonly [number, number], readonly after: readonly [number, number] }
  /** Rivals of its own: that the machine did less work for a token, say. */
  control (draft: StreamsDraft): Prediction[]
  controlLeg (plan: Plan, views: readonly StreamsView[]): Leg
}

const LOAD = 'load generator (calls.ndjson)'
/** Where nobody else wants a CPU, hardly any time is spent in run queues: load and sampler have little to do. */
const QUIET_QUEUE = 0.1
const QUIET_OTHERS = 0.5

/** Under the interference it cures; on the quiet host (`--no-setting`) it changes nothing. Two different predictions, one for each plan. */
export function mitigationClaim (of: Mitigation): ClaimEntry {
  return {
    id: of.id,
    predictions: (draft, manifest) => draft.workload.kind !== 'streams' ? [] : draft.quiet ? quietPredictions(of) : cures(of, draft as StreamsDraft, manifest),
    claims: (plan, _blocks, { streams, contrasts }) => isOpenLoop(plan) ? [] : [plan.quiet ? quietClaim(of, plan, streams, contrasts) : cureClaim(of, plan, streams, contrasts)]
  }
}

function cures (of: Mitigation, draft: StreamsDraft, manifest: Manifest): Prediction[] {
  const { metric, lo, hi } = of.cure(manifest)
  const queue = of.queue(manifest)
  const band = (id: string, metric: string, statement: string, [lo, hi]: readonly [number, number]): Prediction => ({ id, metric, statement, lo, hi })
  return [
    { id: 'cure', metric, statement: `${metric} with ${of.name} ÷ without it, and the whole interval is on that side of 1`, lo, hi },
    band('queue-before', 'queue-share', `without ${of.name}: share of its time that llama-server stands in run queues`, queue.before),
    band('queue-after', 'queue-share', `with ${of.name}: the same`, queue.after),
    ...of.mechanism(draft),
    band('others-before', 'cpus-of-others', `without ${of.name}: CPUs that everybody else uses, the hogs above all`, of.others.before),
    band('others-after', 'cpus-of-others', `with ${of.name}: the same, the hogs have not gone`, of.others.after),
    ...of.control(draft),
    ...rivalPredictions
  ]
}

function cureClaim (of: Mitigation, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  const predicted = predictionOf(plan, 'cure')
  return claimOf({
    id: of.id,
    statement: of.statement,
    predicted: predicted === undefined ? 'nothing was predicted before the run' : `${predicted.metric} with ÷ without: ${number(predicted.lo)} to ${number(predicted.hi)}`,
    explanation: of.explanation
  }, {
    application: cureLeg(plan, contrasts),
    os: allOf([queueLeg(plan, views, `without ${of.name}`, 'before', 'queue-before'), queueLeg(plan, views, 'with it', 'after', 'queue-after')]),
    mechanism: of.mechanismLeg(plan, views),
    control: allOf([
      figureLeg(plan, views, 'CPUs used by everybody else, without', '/proc/stat', 'before', cpusOfOthers, 'others-before'),
      figureLeg(plan, views, 'with', '/proc/stat', 'after', cpusOfOthers, 'others-after'),
      of.controlLeg(plan, views),
      ...rivalLegs(plan, views)
    ])
  })
}

/** The primary outcome's ratio inside the band of the prediction `cure`, and an interval that does not hold 1. */
export function cureLeg (plan: Plan, contrasts: readonly Contrast[]): Leg {
  const primary = contrasts.find(contrast => contrast.primary)
  const prediction = predictionOf(plan, 'cure')
  const leg = contrastLeg(`${primary?.metric ?? 'primary outcome'}, with ÷ without`, LOAD, primary, 'ratio', prediction)
  const interval = primary?.ci95
  if (leg.status !== 'holds') return leg
  if (interval === null || interval === undefined) return missingLeg('interval of the ratio', LOAD, primary?.because || 'not measured')
  const status = interval[0] > 1 || interval[1] < 1 ? 'holds' as const : 'fails' as const
  const above = (primary?.ratio ?? 1) > 1
  const end: LegFigure = { what: 'the end of its interval that is nearer to 1', source: LOAD, value: above ? interval[0] : interval[1], band: above ? [1, unbounded] : [-unbounded, 1], status }
  return { ...leg, status, statement: `${leg.statement}; interval ${number(interval[0])} to ${number(interval[1])}`, figures: [...leg.figures, end] }
}

export function quietPredictions (of: Cure): Prediction[] {
  return [
    { id: 'equivalent', metric: 'primary', statement: `without any interference the whole interval of the primary outcome, with ${of.name} ÷ without, is inside this`, lo: 1 / 1.1, hi: 1.1 },
    { id: 'queue-before', metric: 'queue-share', statement: 'llama-server hardly stands in run queues without it', lo: 0, hi: QUIET_QUEUE },
    { id: 'queue-after', metric: 'queue-share', statement: 'nor with it: there was nothing to cure', lo: 0, hi: QUIET_QUEUE },
    { id: 'in-effect', metric: 'blocks', statement: `share of the blocks with ${of.name} that read it back: it was on all the same`, lo: 1, hi: 1 },
    { id: 'others-before', metric: 'cpus-of-others', statement: 'everybody else uses at most this many CPUs without it', lo: 0, hi: QUIET_OTHERS },
    { id: 'others-after', metric: 'cpus-of-others', statement: 'and with it: no hog was there', lo: 0, hi: QUIET_OTHERS },
    ...rivalPredictions
  ]
}

export function quietClaim (of: Cure, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  const primary = contrasts.find(contrast => contrast.primary)
  const equivalent = predictionOf(plan, 'equivalent')
  return claimOf({
    id: `${of.id}-quiet`,
    statement: `On a quiet host ${of.name} changes nothing`,
    predicted: 'equivalent: the whole interval within 10 % of 1',
    explanation: `There was nothing to cure. ${of.explanation}`
  }, {
    application: allOf([
      contrastLeg(`${primary?.metric ?? 'primary outcome'}, with ÷ without, lower end of its interval`, LOAD, primary, 'lower end', equivalent),
      contrastLeg('upper end', LOAD, primary, 'upper end', equivalent)
    ]),
    os: allOf([queueLeg(plan, views, `without ${of.name}`, 'before', 'queue-before'), queueLeg(plan, views, 'with it', 'after', 'queue-after')]),
    mechanism: bandLeg(`share of blocks that read back ${of.readBack[0]}`, 'read back from the kernel and llama-server (block.json)', inEffect(of, views), predictionOf(plan, 'in-effect')),
    control: allOf([
      figureLeg(plan, views, 'CPUs used by everybody else, without', '/proc/stat', 'before', cpusOfOthers, 'others-before'),
      figureLeg(plan, views, 'with', '/proc/stat', 'after', cpusOfOthers, 'others-after'),
      ...rivalLegs(plan, views)
    ])
  })
}

function inEffect ({ readBack: [what, value] }: Cure, views: readonly StreamsView[]): number | null {
  const after = ofCondition(views, 'after')
  return after.length === 0 ? null : after.filter(({ block }) => value.test(block.evidence.readBack[what] ?? '')).length / after.length
}
