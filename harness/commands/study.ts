import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { presets } from '../plan/presets.js'
import { replaceFile } from '../replace-file.js'
import { studyPlanLines } from '../render/study/plan.js'
import { missingForStudy } from '../run/preflight.js'
import { studyList } from '../study/list.js'
import { extendStudy, planStudy, type PlannedExperiment } from '../study/plan.js'
import { isStudyFolder, readStudyPlan } from '../study/report.js'
import { messageOf, runFolderOf, runStudy } from '../study/run.js'
import type { PresetName } from '../types.js'
import { UsageError } from '../usage-error.js'
import { presetHelp, wholeNumber } from './options.js'
import { rerender, writeRunReport } from './report.js'
import { measure, newFolder, progressFor, stopOnSignal } from './run-to-report.js'
import { budgetMinutes } from '../study/sizes.js'
import { hostOf, parseOnly, runOf } from './study-asked.js'

interface StudyOptions {
  readonly preset?: PresetName
  readonly only?: string
  readonly seed: number
  readonly llamaServer?: string
  readonly out?: string
  readonly resume?: string
  readonly minutes?: number
}

const WIDTH = 80

/** `harness study`: every required experiment and mitigation, one report. */
export function studyCommand (): Command {
  return new Command('study')
    .description('run every required experiment and mitigation that the preset has time for, and write one report')
    .addOption(new Option('--preset <name>', `${presetHelp(({ name }) => `at most ${budgetMinutes[name]} min`)} (default: laptop)`).choices(Object.keys(presets)))
    .option('--only <names>', 'only these experiments, comma-separated, at the preset\'s full size (harness plan lists them)')
    .option('--seed <n>', 'seed of arrivals, prompts and order', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--llama-server <path>', 'llama-server to use (default: LLAMA_SERVER, PATH, cache, else it is installed into the cache)')
    .option('--out <dir>', 'study folder; must be new or empty (default: results/DATE-study)')
    .option('--minutes <n>', 'minutes that it may take in all, instead of the preset\'s; with --resume more than it had, for what was left out or cut short', wholeNumber(1, 10_000))
    .option('--resume <dir>', 'go on with a study that was interrupted: runs that are complete are kept, the others are run again')
    .action(study)
}

async function study (options: StudyOptions): Promise<void> {
  const folder = options.resume === undefined ? await begun(options) : await resumed(options.resume, options)
  const { plan, planSha256 } = readStudyPlan(folder)
  const note = (line: string): void => { process.stderr.write(`${line}\n`) }
  for (const line of studyPlanLines(plan, WIDTH)) note(line)
  const stop = stopOnSignal(note)
  try {
    const state = await runStudy({
      plan,
      planSha256,
      folder,
      signal: stop.signal,
      note,
      measure: async (experiment, into) => await measureOne(experiment, into, stop.signal, options.llamaServer),
      report: async into => { await writeRunReport(into) },
      freeBytes,
      nowMs: () => performance.now()
    })
    note('making the report')
    await report(folder)
    if (state.ended === 'the disk is full') throw new Error(`the disk is full (${Math.floor(freeBytes(folder) / 1024 ** 2)} MiB free): ${usable(folder)}; make room, then: npx harness study --resume ${relative('.', folder)}`)
    if (state.ended !== undefined || state.outcomes.some(({ status }) => status === 'partial' || status === 'failed')) note(`to go on: npx harness study --resume ${relative('.', folder)}`)
    if (state.outcomes.some(({ status }) => status === 'failed')) process.exitCode = 1
  } finally {
    stop.off()
  }
  if (stop.signal.aborted) process.exitCode = 130
}

async function begun (options: StudyOptions): Promise<string> {
  if (options.only !== undefined && options.minutes !== undefined) throw new UsageError(`--minutes: ${options.minutes} has no effect with --only, which runs what it names at full size whatever that takes; leave one of them away`)
  const lacking = missingForStudy()
  if (lacking !== undefined) throw new Error(`study: ${lacking}`)
  const folder = newFolder(options.out, 'study')
  const list = studyList()
  const only = parseOnly(options.only, list)
  const plan = await planStudy({ list, preset: options.preset ?? 'laptop', ...(only === undefined ? {} : { only }), ...(options.minutes === undefined ? {} : { minutes: options.minutes }), seed: options.seed, createdAt: new Date().toISOString(), runOf, hostOf })
  mkdirSync(folder, { recursive: true })
  await replaceFile(`${folder}/study-plan.json`, JSON.stringify(plan, null, 2) + '\n')
  return folder
}

async function resumed (folder: string, { preset, only, out, minutes }: StudyOptions): Promise<string> {
  if (!isStudyFolder(folder)) throw new UsageError(`--resume: ${folder} is not a study folder: it has no study-plan.json; give a folder that harness study wrote, such as results/DATE-study`)
  for (const [name, value] of [['--preset', preset], ['--only', only], ['--out', out]] as const) {
    if (value !== undefined) throw new UsageError(`${name}: a study that goes on has the plan that it began with; leave ${name} away`)
  }
  const lacking = missingForStudy()
  if (lacking !== undefined) throw new Error(`study: ${lacking}`)
  if (minutes !== undefined) await extend(folder, minutes)
  return resolve(folder)
}

/** The plan before is kept beside the new one. */
async function extend (folder: string, minutes: number): Promise<void> {
  const { plan, planSha256 } = readStudyPlan(folder)
  const longer = await extendStudy(plan, planSha256, minutes, new Date().toISOString(), { list: studyList(), runOf, hostOf })
    .catch((error: unknown) => { throw new UsageError(`--minutes: ${messageOf(error)}`) })
  await replaceFile(`${folder}/study-plan.${plan.budgetMinutes}-min.json`, readFileSync(`${folder}/study-plan.json`, 'utf8'))
  await replaceFile(`${folder}/study-plan.json`, JSON.stringify(longer, null, 2) + '\n')
}

async function measureOne (experiment: PlannedExperiment, folder: string, signal: AbortSignal, llamaServer: string | undefined): Promise<void> {
  const run = runOf(experiment, experiment.size)
  const progress = progressFor(experiment.host, experiment.expectedSeconds)
  try {
    mkdirSync(folder, { recursive: true })
    const input = { ...run.input, ...(llamaServer === undefined ? {} : { llamaServer }) }
    const code = await measure({ ...run, input }, experiment.host, { folder, signal, progress })
    if (code !== 0 && !signal.aborted) throw new Error(`the harness in the VM ended with exit code ${code}; what it said is above`)
  } finally {
    progress.done()
  }
}

async function report (folder: string): Promise<void> {
  try {
    await rerender(relative('.', folder) || '.', false)
  } catch (error) {
    throw new Error(`the report of the study could not be written (${messageOf(error)}): ${usable(folder)}; make it later: npx harness report ${relative('.', folder)}`)
  }
}

function usable (folder: string): string {
  const { plan } = readStudyPlan(folder)
  const there = plan.experiments.filter(({ id }) => existsSync(`${runFolderOf(folder, id)}/result.json`)).map(({ id }) => id)
  return there.length === 0 ? 'no run was finished' : `what was measured stays usable (${there.join(', ')})`
}

function freeBytes (folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
