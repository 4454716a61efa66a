import { differences, machineKeys } from '../analyse/diff/keys.js'
import { headline, type Headline } from '../render/headline.js'
import type { Claim, Manifest, PresetName, Result } from '../types.js'
import { NOT_ASKED, type LeftOut, type PlannedExperiment, type StudyPlan } from './plan.js'
import type { Outcome, StudyState } from './run.js'

export type RequirementStatus = 'SUPPORTED' | 'UNSUPPORTED' | 'DESCRIBED' | 'NOT RUN'

export interface RequirementFinding {
  readonly id: string
  readonly kind: StudyPlan['requirements'][number]['kind']
  readonly asks: string
  readonly status: RequirementStatus
  readonly because: string
  /** Ids of experiments that serve it and were planned. */
  readonly experiments: readonly string[]
}

export interface ExperimentFinding extends PlannedExperiment {
  readonly outcome: Outcome['status']
  readonly error?: string
  readonly seconds?: number
  readonly headline?: Omit<Headline, 'verdict'>
  readonly planSha256?: string
  /** Of its own evidence: all planned blocks were there. */
  readonly complete: boolean
  readonly results: readonly Claim[]
  /** Index into `machines`. */
  readonly machine?: number
  readonly warnings: readonly string[]
}

/** study.json. */
export interface StudyResult {
  readonly schemaVersion: 1
  readonly preset: PresetName
  /** Of its plan, which was written before the first run. */
  readonly createdAt: string
  readonly planSha256: string
  readonly extended?: StudyPlan['extended']
  /** Every planned experiment is complete. */
  readonly complete: boolean
  readonly ended?: StudyState['ended']
  readonly requirements: readonly RequirementFinding[]
  readonly experiments: readonly ExperimentFinding[]
  readonly leftOut: readonly LeftOut[]
  /** One for each environment that runs were made in. */
  readonly machines: readonly Manifest[]
  /** All that any run had, by name. */
  readonly models: ReadonlyArray<Manifest['model']>
  readonly warnings: readonly string[]
}

export interface StudyEvidence {
  readonly plan: StudyPlan
  readonly planSha256: string
  readonly state: StudyState
  /** Of the experiments that left a readable run, by id. */
  readonly results: ReadonlyMap<string, Result>
}

/** Pure: plan, state and the results of the runs → what the study found. */
export function findingsOf ({ plan, planSha256, state, results }: StudyEvidence): StudyResult {
  const machines: Manifest[] = []
  const experiments = plan.experiments.map((planned): ExperimentFinding => {
    const outcome = state.outcomes.find(({ id }) => id === planned.id) ?? { id: planned.id, status: 'not run' as const }
    const result = results.get(planned.id)
    const { status, error, seconds } = outcome
    return {
      ...planned,
      outcome: status,
      ...(error === undefined ? {} : { error }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(result === undefined ? {} : { headline: headlineOf(result), planSha256: result.planSha256, machine: machineOf(machines, result.manifest) }),
      complete: result?.complete === true,
      results: result?.claims ?? [],
      warnings: result?.warnings ?? []
    }
  })
  return {
    schemaVersion: 1,
    preset: plan.preset,
    createdAt: plan.createdAt,
    planSha256,
    ...(plan.extended === undefined ? {} : { extended: plan.extended }),
    complete: experiments.every(({ complete }) => complete),
    ...(state.ended === undefined ? {} : { ended: state.ended }),
    requirements: plan.requirements.map(requirement => requirementFinding(requirement, plan, experiments)),
    experiments,
    leftOut: plan.leftOut,
    machines,
    models: modelsOf(results),
    warnings: [...unfinished(experiments), ...unlikeMachines(machines)]
  }
}

function headlineOf (result: Result): NonNullable<ExperimentFinding['headline']> {
  const { word, says, because, seen } = headline(result)
  return { word, says, because, seen }
}

/** Models, slots and threads are an experiment's own; where it ran is not. */
function environmentOf (manifest: Manifest): ReturnType<typeof machineKeys> {
  return machineKeys({ manifest }).filter(({ key }) => !/^manifest\.(model|otherModels|server\.(slots|threads|batchTokens|slotContextTokens)|placement)/.test(key))
}

function modelsOf (results: StudyEvidence['results']): Array<Manifest['model']> {
  const all = [...results.values()].flatMap(({ manifest: { model, otherModels = [] } }) => [model, ...otherModels])
  return [...new Map(all.map(model => [model.sha256, model])).values()].sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
}

function machineOf (machines: Manifest[], manifest: Manifest): number {
  const known = machines.findIndex(each => differences(environmentOf(each), environmentOf(manifest)).length === 0 && each.gitCommit === manifest.gitCommit)
  return known >= 0 ? known : machines.push(manifest) - 1
}

/** SUPPORTED: complete, with at least one claim, and all of them hold. */
export function isSupported ({ complete, results }: Pick<ExperimentFinding, 'complete' | 'results'>): boolean {
  return complete && results.length > 0 && results.every(({ status }) => status === 'SUPPORTED')
}

function requirementFinding ({ id, kind, asks, needs = 1 }: StudyPlan['requirements'][number], plan: StudyPlan, experiments: readonly ExperimentFinding[]): RequirementFinding {
  const own = experiments.filter(({ serves }) => serves === id)
  const head = { id, kind, asks, experiments: own.map(each => each.id) }
  const ran = own.filter(({ headline }) => headline !== undefined)
  if (ran.length === 0) return { ...head, status: 'NOT RUN', because: whyNotRun(id, plan, own) }
  // That a mitigation does nothing on a quiet host says nothing of what it cures.
  const judged = ran.filter(({ quiet, results }) => !quiet && results.length > 0)
  const supported = judged.filter(isSupported)
  if (judged.length === 0) return { ...head, status: 'DESCRIBED', because: 'what ran has no claim' }
  const others = own.filter(each => !each.quiet && !supported.includes(each))
  const because = [
    `${supported.length === 0 ? 'none holds' : `held by ${supported.map(each => each.id).join(', ')}`}${needs === 1 ? '' : ` (${needs} wanted)`}`,
    ...(others.length === 0 ? [] : [`not by ${others.map(each => `${each.id} (${each.complete ? each.headline?.word ?? each.outcome : 'not complete'})`).join(', ')}`])
  ].join('; ')
  return { ...head, status: supported.length >= needs ? 'SUPPORTED' : 'UNSUPPORTED', because }
}

function whyNotRun (id: string, { leftOut }: StudyPlan, own: readonly ExperimentFinding[]): string {
  const reasons = [
    ...own.map(each => `${each.id}: ${each.error ?? 'the study ended before it'}`),
    ...leftOut.filter(each => each.serves === id && each.because !== NOT_ASKED).map(each => `${each.id}: ${each.because}`)
  ]
  if (reasons.length > 0) return reasons.join('; ')
  return leftOut.some(({ serves }) => serves === id) ? NOT_ASKED : 'no experiment serves it yet'
}

function unfinished (experiments: readonly ExperimentFinding[]): string[] {
  const failed = experiments.filter(({ outcome }) => outcome === 'failed')
  const missing = experiments.filter(({ outcome, complete }) => outcome !== 'failed' && !complete)
  return [
    ...failed.map(({ id, error }) => `${id} failed: ${error ?? 'no reason given'}`),
    ...(missing.length === 0 ? [] : [`not complete: ${missing.map(({ id }) => id).join(', ')}`])
  ]
}

/** Runs here and runs in the VM differ; two environments of one kind are another kernel, build or code in the middle of a study. */
function unlikeMachines (machines: readonly Manifest[]): string[] {
  return machines.flatMap((machine, i) => {
    const earlier = machines.slice(0, i).find(({ virtualisation }) => virtualisation === machine.virtualisation)
    if (earlier === undefined) return []
    const keys = [...differences(environmentOf(earlier), environmentOf(machine)).map(({ key }) => key), ...(earlier.gitCommit === machine.gitCommit ? [] : ['manifest.gitCommit'])]
    return [`runs of this study were made in unlike environments: ${keys.join(', ')} ${keys.length === 1 ? 'differs' : 'differ'}`]
  })
}
