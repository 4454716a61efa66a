import { typicalEstimate, type Estimate } from '../plan/typical.js'
import type { PresetName } from '../types.js'
import type { HostOfRun, PlannedRun } from '../run/planned-run.js'
import { idOf, type StudyExperiment, type StudyList } from './list.js'
import { budgetMinutes, chooseSizes, endsOf, requiredIds, sizesFor, usedOfBudget, type Size } from './sizes.js'

/** One experiment of a study, as it will be run. */
export interface PlannedExperiment {
  /** Folder and place in the report. */
  readonly id: string
  readonly name: string
  readonly quiet: boolean
  readonly serves: string
  readonly host: 'local' | 'vm'
  readonly model?: string
  readonly size: Size
  readonly seed: number
  readonly question: string
  readonly claims: readonly string[]
  readonly blocks: number
  readonly expectedSeconds: number
  /** What its size cannot show, in sentences. */
  readonly cannotShow: readonly string[]
}

/** Of what `--only` leaves out. */
export const NOT_ASKED = 'not asked for (--only)'

export interface LeftOut {
  readonly id: string
  readonly serves: string
  readonly because: string
}

/** study-plan.json: written before the first run. */
export interface StudyPlan {
  readonly schemaVersion: 1
  readonly preset: PresetName
  readonly seed: number
  readonly budgetMinutes: number
  readonly expectedSeconds: number
  readonly requirements: StudyList['requirements']
  readonly experiments: readonly PlannedExperiment[]
  readonly leftOut: readonly LeftOut[]
  readonly createdAt: string
  /** What it was before it was given more minutes: its plan is kept as `study-plan.N-min.json`, N being these minutes. */
  readonly extended?: { readonly at: string, readonly planSha256: string, readonly budgetMinutes: number }
}

export interface StudyPlanInput {
  readonly list: StudyList
  readonly preset: PresetName
  /** Ids (`pinning`, `pinning-quiet`) or names; undefined: all, within the preset's minutes. Those that are named get the preset's full size. */
  readonly only?: readonly string[]
  readonly seed: number
  readonly createdAt: string
  /** In all; absent: the preset's. */
  readonly minutes?: number
  /** Of a plan that is extended: what was planned then stays, at that size or a larger one. */
  readonly planned?: readonly PlannedExperiment[]
  readonly runOf: RunOf
  readonly hostOf: (run: PlannedRun, asked: StudyExperiment['host']) => Promise<HostOfRun>
}

/** The experiment of that name at that size, as its own command would run it. */
export type RunOf = (experiment: { readonly name: string, readonly quiet?: boolean, readonly model?: string, readonly seed: number }, size: Size) => PlannedRun

interface Sized {
  readonly seconds: number
  readonly size: Size
  readonly estimate: Estimate
  readonly run: PlannedRun
}

interface Candidate {
  readonly experiment: StudyExperiment & { readonly seed: number }
  readonly id: string
  readonly required: boolean
  readonly host: 'local' | 'vm'
  readonly sizes: [Sized, ...Sized[]]
}

/** Chooses what a preset has time for, and says what that cannot show. Starts nothing. */
export async function planStudy (input: StudyPlanInput): Promise<StudyPlan> {
  const { list, preset, only, seed } = input
  const asked = list.experiments.filter(each => only === undefined || only.includes(idOf(each)) || only.includes(each.name))
  const required = requiredIds(list)
  const candidates: Candidate[] = []
  for (const experiment of asked) {
    const whole = input.runOf({ ...experiment, seed }, { preset })
    const { host } = await input.hostOf(whole, experiment.host)
    const of = { ...host === 'vm' ? ofItsOwnModel(experiment) : experiment, seed }
    const sizes = sizesFor(preset, whole.input.design === 'sweep' ? experiment.glance ?? endsOf(whole.input.conditions) : undefined).map((size): Sized => {
      const run = input.runOf(of, size)
      const estimate = typicalEstimate(run.input, host, experiment.secondsPerBlock?.[host])
      return { seconds: estimate.seconds, size, estimate, run }
    })
    candidates.push({ experiment: of, id: idOf(experiment), required: required.has(idOf(experiment)), host, sizes: rising(sizes) })
  }
  const minutes = input.minutes ?? budgetMinutes[preset]
  const fitting = only === undefined ? chooseSizes(candidates, minutes * 60 * usedOfBudget[preset], preset === 'smoke' ? 'breadth' : 'depth') : candidates.map(({ sizes }) => sizes.at(-1))
  const chosen = fitting.map((size, i) => longer(size, plannedSize(candidates[i], input.planned ?? [])))
  const experiments = candidates.flatMap((candidate, i): PlannedExperiment[] => {
    const own = chosen[i]
    return own === undefined ? [] : [planned(candidate, own)]
  })
  return {
    schemaVersion: 1,
    preset,
    seed,
    budgetMinutes: minutes,
    expectedSeconds: Math.round(experiments.reduce((sum, each) => sum + each.expectedSeconds, 0)),
    requirements: list.requirements,
    experiments,
    leftOut: [
      ...candidates.flatMap(({ id, experiment, sizes: [smallest] }, i) => chosen[i] === undefined
        ? [{ id, serves: experiment.serves, because: `no time in ${minutes} min: it takes ${minutesText(smallest.seconds)} at least; alone: npx harness study --only ${id} --preset ${preset}` }]
        : []),
      ...list.experiments.filter(each => !asked.includes(each)).map(each => ({ id: idOf(each), serves: each.serves, because: NOT_ASKED }))
    ],
    createdAt: input.createdAt
  }
}

/** The size of an experiment that an earlier plan gave it; undefined where it had none. */
function plannedSize (candidate: Candidate | undefined, planned: readonly PlannedExperiment[]): Sized | undefined {
  const size = planned.find(({ id }) => id === candidate?.id)?.size
  return size === undefined ? undefined : candidate?.sizes.find(each => isSameSize(each.size, size))
}

function isSameSize (a: Size, b: Size): boolean {
  return a.preset === b.preset && a.repeats === b.repeats && a.cells === b.cells
}

function longer (a: Sized | undefined, b: Sized | undefined): Sized | undefined {
  return (b?.seconds ?? 0) > (a?.seconds ?? 0) ? b : a
}

/**
 * The same study with more minutes: what had no time or only a glance gets it, nothing is taken away.
 * @throws Error when it was of chosen experiments (those have their full size), the minutes are no more than it had, or nothing more fits into them
 */
export async function extendStudy (earlier: StudyPlan, planSha256: string, minutes: number, at: string, { list, runOf, hostOf }: Pick<StudyPlanInput, 'list' | 'runOf' | 'hostOf'>): Promise<StudyPlan> {
  const { preset, seed, createdAt, experiments, leftOut, budgetMinutes: had } = earlier
  if (leftOut.some(({ because }) => because === NOT_ASKED)) throw new Error(`it is a study of chosen experiments (--only), which have the ${preset} preset's full size; begin another one with --minutes`)
  if (minutes <= had) throw new Error(`${minutes} is not more than the ${had} minutes that the study has in all; give more`)
  const plan = await planStudy({ list, preset, seed, createdAt, minutes, planned: experiments, runOf, hostOf })
  const isAlike = plan.experiments.length === experiments.length && plan.experiments.every(({ id, size }) => experiments.some(each => each.id === id && isSameSize(each.size, size)))
  if (isAlike) throw new Error(`nothing more fits into ${minutes} minutes than into ${had}; give more`)
  return { ...plan, extended: { at, planSha256, budgetMinutes: had } }
}

function ofItsOwnModel ({ model, ...experiment }: StudyExperiment): StudyExperiment {
  return experiment
}

/** Each a good deal longer than the one before, or it is not worth a step. */
function rising (sizes: readonly Sized[]): [Sized, ...Sized[]] {
  const [first, ...rest] = sizes
  if (first === undefined) throw new Error('an experiment has no size')
  const kept: [Sized, ...Sized[]] = [first]
  for (const each of rest) {
    if (each.estimate.blocks > (kept.at(-1) ?? first).estimate.blocks) kept.push(each)
    else kept[kept.length - 1] = each
  }
  return kept
}

function planned ({ experiment, id, host }: Omit<Candidate, 'sizes'>, { size, estimate, run }: Sized): PlannedExperiment {
  const { expected } = estimate
  return {
    id,
    name: experiment.name,
    quiet: experiment.quiet === true,
    serves: experiment.serves,
    host,
    ...(experiment.model === undefined ? {} : { model: experiment.model }),
    size,
    seed: experiment.seed,
    question: run.input.question,
    claims: run.input.claims,
    blocks: estimate.blocks,
    expectedSeconds: Math.round(estimate.seconds),
    cannotShow: [
      ...(expected.verdict ? [] : [`${run.input.repeats} ${run.input.design === 'pairs' ? 'pair' : 'repeat'}${run.input.repeats === 1 ? '' : 's'}: no verdict on single ratios (8 carry one)`]),
      ...expected.unsupported,
      ...(size.cells === undefined ? [] : [`only the conditions ${size.cells}: what its claim says of the others is unsupported`]),
      ...(run.input.claims.length === 0 ? ['it has no claim: it describes'] : [])
    ]
  }
}

/** `40 s`, `6 min`. */
export function minutesText (seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}
