import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync } from 'node:fs'
import { replaceFile } from '../replace-file.js'
import { minutesText, type PlannedExperiment, type StudyPlan } from './plan.js'
import { stateOfRun } from './run-state.js'

/** What became of one experiment of a study; its evidence says the rest. */
export interface Outcome {
  readonly id: string
  /** `kept`: it was complete before. `partial`: stopped, its finished blocks count. `failed`: its finished blocks, if there are any, count. */
  readonly status: 'complete' | 'kept' | 'partial' | 'failed' | 'not run'
  readonly error?: string
  /** Of the try that left what counts; of a kept one, as its own study-state.json said. */
  readonly seconds?: number
}

/** study-state.json: written after each experiment. */
export interface StudyState {
  readonly planSha256: string
  readonly outcomes: readonly Outcome[]
  /** Why the study ended before its last experiment. */
  readonly ended?: 'stopped by the user' | 'the disk is full'
}

export interface StudyRun {
  readonly plan: StudyPlan
  readonly planSha256: string
  readonly folder: string
  readonly signal: AbortSignal
  readonly note: (line: string) => void
  /** Measures into a new folder; throws when the run failed, returns after an abort. */
  readonly measure: (experiment: PlannedExperiment, folder: string) => Promise<void>
  /** Computes result and report of a run folder from its raw files. */
  readonly report: (folder: string) => Promise<void>
  readonly freeBytes: (folder: string) => number
  readonly nowMs: () => number
  /** For tests of a full disk. */
  readonly write?: (path: string, text: string) => Promise<void>
}

/** A run leaves 1 to 8 MB; below this one more may not fit. */
export const leastFreeBytes = 64 * 1024 ** 2

export function runFolderOf (folder: string, id: string): string {
  return `${folder}/runs/${id}`
}

/**
 * Runs what is not complete yet, one experiment after the other. One that fails does not end the study, a full disk and the user's stop do. Never throws for an experiment;
 * what it returns is in study-state.json, too, as far as the disk had room for it.
 */
export async function runStudy (run: StudyRun): Promise<StudyState> {
  const { plan, signal, note } = run
  const missing = plan.experiments.filter(each => !isMeasured(runFolderOf(run.folder, each.id), each))
  const earlier = readState(run)
  const outcomes = new Map<string, Outcome>(plan.experiments.map(each => [each.id, missing.includes(each) ? { id: each.id, status: 'not run' } : keptOf(each, earlier)]))
  let ended: StudyState['ended']
  const state = (): StudyState => ({ planSha256: run.planSha256, outcomes: [...outcomes.values()], ...(ended === undefined ? {} : { ended }) })
  for (const [i, experiment] of plan.experiments.entries()) {
    if (signal.aborted) ended = 'stopped by the user'
    else if (run.freeBytes(run.folder) < leastFreeBytes) ended = 'the disk is full'
    if (ended !== undefined) break
    const place = `${i + 1} of ${plan.experiments.length}: ${experiment.id}`
    const left = missing.slice(missing.indexOf(experiment)).reduce((sum, each) => sum + each.expectedSeconds, 0)
    note(missing.includes(experiment)
      ? `${place} (${experiment.size.preset}${experiment.host === 'vm' ? ', in the VM' : ''}), about ${minutesText(experiment.expectedSeconds)}; the whole study about ${minutesText(left)} more`
      : `${place}: complete already, kept`)
    const outcome = await one(run, experiment, keptOf(experiment, earlier))
    outcomes.set(experiment.id, outcome)
    if (outcome.error !== undefined) note(`${experiment.id}: ${outcome.error}`)
    if (isFull(outcome.error) || (outcome.status === 'failed' && run.freeBytes(run.folder) < leastFreeBytes)) ended = 'the disk is full'
    else if (signal.aborted) ended = 'stopped by the user'
    await tryToWrite(run, state())
  }
  await tryToWrite(run, state())
  return state()
}

function isMeasured (folder: string, experiment: PlannedExperiment): boolean {
  return ['measured', 'complete'].includes(stateOfRun(folder, experiment))
}

/** What a stopped study of this plan left, or of the one that it extends; undefined where none was. */
function readState ({ folder, plan, planSha256 }: StudyRun): StudyState | undefined {
  try {
    const state = JSON.parse(readFileSync(`${folder}/study-state.json`, 'utf8')) as StudyState
    return [planSha256, plan.extended?.planSha256].includes(state.planSha256) && Array.isArray(state.outcomes) ? state : undefined
  } catch {
    return undefined
  }
}

function keptOf ({ id }: PlannedExperiment, earlier: StudyState | undefined): Outcome {
  const seconds = earlier?.outcomes.find(outcome => outcome.id === id)?.seconds
  return { id, status: 'kept', ...(seconds === undefined ? {} : { seconds }) }
}

/** @param kept what it is where nothing is to be measured */
async function one (run: StudyRun, experiment: PlannedExperiment, kept: Outcome): Promise<Outcome> {
  const { id } = experiment
  const folder = runFolderOf(run.folder, id)
  const startedMs = run.nowMs()
  const spent = (): Pick<Outcome, 'seconds'> => ({ seconds: Math.round((run.nowMs() - startedMs) / 1000) })
  let error: string | undefined
  try {
    const found = stateOfRun(folder, experiment)
    if (found === 'measured') await run.report(folder)
    if (found === 'measured' || found === 'complete') return kept
    putAside(folder, found === 'other' ? 'earlier' : 'incomplete')
    await run.measure(experiment, folder)
  } catch (caught) {
    if (!run.signal.aborted) error = messageOf(caught)
  }
  try {
    if (existsSync(`${folder}/plan.json`) && existsSync(`${folder}/manifest.json`)) await run.report(folder)
  } catch (caught) {
    error ??= `the report could not be made: ${messageOf(caught)}`
  }
  if (error !== undefined) return { id, status: 'failed', error, ...spent() }
  return { id, status: stateOfRun(folder, experiment) === 'complete' ? 'complete' : 'partial', ...spent() }
}

/** What is there is kept beside it: finished blocks of a night are worth a look, and so is a whole run of another size. */
function putAside (folder: string, what: 'earlier' | 'incomplete'): void {
  if (!existsSync(folder)) return
  if (readdirSync(folder).length === 0) return
  let n = 1
  while (existsSync(`${folder}.${what}-${n}`)) n++
  renameSync(folder, `${folder}.${what}-${n}`)
}

async function tryToWrite ({ folder, note, write = replaceFile }: StudyRun, state: StudyState): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true })
    await write(`${folder}/study-state.json`, JSON.stringify(state, null, 2) + '\n')
  } catch (error) {
    note(`study-state.json could not be written (${messageOf(error)}); the runs are in ${folder}/runs all the same`)
  }
}

function isFull (message: string | undefined): boolean {
  return message !== undefined && /ENOSPC|no space left on device/i.test(message)
}

export function messageOf (error: unknown): string {
  const code = error instanceof Error && 'code' in error ? `${String(error.code)}: ` : ''
  const message = error instanceof Error ? error.message : String(error)
  return message.startsWith(code) ? message : code + message
}
