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
}

export interface StudyPlanInput {
  readonly list: StudyList
  readonly preset: PresetName
  /** Ids (`pinning`, `pinning-quiet`) or names; undefined: all, within the preset's minutes. Those that are named get the preset's full size. */
  readonly only?: readonly string[]
  readonly seed: number
  readonly createdAt: string
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

/** Chooses what a preset has time for, and says what that cannot show. Starts nothing. */
export async function planStudy (input: StudyPlanInput): Promise<StudyPlan> {
  const { list, preset, only, seed } = input
  const asked = list.experiments.filter(each => only === undefined || only.includes(idOf(each)) || only.includes(each.name))
  const required = requiredIds(list)
  const candidates = []
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
  const minutes = budgetMinutes[preset]
  const chosen = only === undefined ? chooseSizes(candidates, minutes * 60 * usedOfBudget[preset], preset === 'smoke' ? 'breadth' : 'depth') : candidates.map(({ sizes }) => sizes.at(-1))
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

function planned ({ experiment, id, host }: { readonly experiment: StudyExperiment & { readonly seed: number }, readonly id: string, readonly host: 'local' | 'vm' }, { size, estimate, run }: Sized): PlannedExperiment {
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
