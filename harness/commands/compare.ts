import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { DEFAULT_MODEL_NAME } from '../../models/catalogue.js'
import { expectedSeconds } from '../plan/duration.js'
import { conditionsOf, experimentFor, parsePolicies } from '../plan/experiments.js'
import { policyNames } from '../plan/policies.js'
import { presets } from '../plan/presets.js'
import { parseMix, parseRate } from '../plan/workload.js'
import { createProgress } from '../render/progress.js'
import { runExperiment } from '../run/experiment.js'
import type { PresetName } from '../types.js'
import { UsageError } from '../usage-error.js'
import { wholeNumber } from './options.js'
import { rerender } from './report.js'

interface CompareOptions {
  readonly policy: string
  readonly preset: PresetName
  readonly rate?: string
  readonly mix?: string
  readonly model: string
  readonly llamaServer?: string
  readonly slots: number
  readonly threads?: number
  readonly sloTtftMs?: number
  readonly seed: number
  readonly out?: string
  readonly json?: true
}

/** `harness compare --policy admission`: blocks with and without the policies, the same load in both, a verdict. */
export function compareCommand (): Command {
  const presetHelp = Object.values(presets).map(preset => `${preset.name}: ${preset.describe}`).join('; ')
  return new Command('compare')
    .description('measure what policies do: the same overload without and with them, on a real llama-server')
    .requiredOption('--policy <names>', `policies to toggle, comma-separated: ${policyNames().join(', ')}`)
    .addOption(new Option('--preset <name>', presetHelp).choices(Object.keys(presets)).default('laptop'))
    .option('--rate <rate>', 'offered load: a multiple of the capacity such as 4x, or requests per second (default: the experiment\'s)')
    .option('--mix <classes>', 'workload classes NAME:WORDS/TOKENS:SHARE,… (default: the experiment\'s)')
    .option('--model <name>', 'catalogue name or .gguf file', DEFAULT_MODEL_NAME)
    .option('--llama-server <path>', 'llama-server to use (default: LLAMA_SERVER, PATH, cache, else it is installed into the cache)')
    .option('--slots <n>', 'slots of llama-server (-np)', wholeNumber(1, 64), 4)
    .option('--threads <n>', 'threads of llama-server (-t; default: one per CPU that it gets)', wholeNumber(1, 256))
    .option('--slo-ttft-ms <ms>', 'TTFT limit of a good request (default: 8 × the unloaded TTFT)', wholeNumber(1, 3_600_000))
    .option('--seed <n>', 'seed of arrivals and prompts', wholeNumber(0, 2 ** 31 - 1), 1)
    .option('--out <dir>', 'run folder; must be new or empty (default: results/DATE-EXPERIMENT)')
    .option('--json', 'print result.json on stdout instead of the summary')
    .action(compare)
}

async function compare (options: CompareOptions): Promise<void> {
  const experiment = experimentFor(parsePolicies(options.policy))
  const classes = parseMix(options.mix ?? experiment.mix)
  const rate = parseRate(options.rate ?? experiment.rate)
  const folder = resolve(options.out ?? `results/${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${experiment.name}`)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`--out: ${folder} is not empty; give a new folder, or remove it first`)
  }
  const stop = new AbortController()
  let failure: unknown
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130)
    progress.note('stopping; what is finished is kept (press again to leave at once)')
    stop.abort(new Error('stopped by the user'))
  }
  const progress = createProgress(process.stderr, expectedSeconds(presets[options.preset], 2))
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    await runExperiment({
      experiment: experiment.name,
      question: experiment.question,
      design: 'pairs',
      conditions: conditionsOf(experiment.policies),
      quiet: false,
      effects: [],
      claims: experiment.claim === undefined ? [] : [experiment.claim],
      preset: presets[options.preset],
      repeats: presets[options.preset].pairs,
      load: { kind: 'open-loop', classes, rate, slots: options.slots, ...(options.sloTtftMs === undefined ? {} : { ttftLimitMs: options.sloTtftMs }) },
      seed: options.seed,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
      model: options.model,
      ...(options.llamaServer === undefined ? {} : { llamaServer: options.llamaServer }),
      folder,
      signal: stop.signal,
      progress
    })
  } catch (error) {
    if (!stop.signal.aborted && !existsSync(`${folder}/blocks`)) throw error
    if (!stop.signal.aborted) failure = error
  } finally {
    progress.done()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  if (stop.signal.aborted) process.exitCode = 130
  if (!existsSync(`${folder}/plan.json`)) {
    process.stderr.write('harness: stopped before the plan was made; there is nothing to report\n')
    return
  }
  await rerender(relative('.', folder), options.json === true)
  // The blocks before the fault are valid and reported; the fault is the run's end all the same.
  if (failure !== undefined) throw failure
}
