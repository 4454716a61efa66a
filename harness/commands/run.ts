import { Command, Option } from 'commander'
import { DEFAULT_MODEL_NAME } from '../../models/catalogue.js'
import { streamsPrimaries } from '../analyse/outcomes.js'
import { parseKnobs } from '../knobs/index.js'
import { experimentFiles, isSweep, readExperiment, type SweepFile } from '../plan/experiment-file.js'
import { presets } from '../plan/presets.js'
import { conditionsOfSweep, onlyCells, streamsOf } from '../plan/sweep.js'
import type { PresetName } from '../types.js'
import type { PlannedRun } from '../run/planned-run.js'
import { UsageError } from '../usage-error.js'
import { hostOption, type HostChoice } from './host.js'
import { noReportOption, presetHelp, repeatsOption, typedOptions, wholeNumber } from './options.js'
import { runToReport } from './run-to-report.js'

export interface SweepOptions {
  readonly preset: PresetName
  readonly model?: string
  readonly llamaServer?: string
  readonly threads?: number
  readonly seed: number
  /** Blocks of each condition; absent: the sweep's or the preset's. */
  readonly repeats?: number
  /** Ids of conditions, comma-separated; absent: all. */
  readonly cells?: string
}

interface RunOptions extends SweepOptions {
  readonly out?: string
  readonly json?: true
  readonly host: HostChoice
  readonly report: boolean
}

/** `harness run cpu-quota`: every condition of a sweep in each repeat, in random order. */
export function runCommand (): Command {
  const names = sweepNames()
  return new Command('run')
    .description('run a dose-response: every condition of a sweep in each repeat, in random order')
    .argument('<name>', `${names.length === 0 ? '' : `${names.join(', ')}; or `}a .json file of your own`)
    .addOption(new Option('--preset <name>', presetHelp(preset => `${preset.repeats} repeat${preset.repeats === 1 ? '' : 's'} unless the sweep says otherwise`)).choices(Object.keys(presets)).default('laptop'))
    .addOption(repeatsOption('blocks of each condition (default: the sweep\'s, else the preset\'s)'))
    .option('--cells <ids>', 'only these conditions, comma-separated, with their baselines; claims that need others are UNSUPPORTED')
    .option('--model <name>', `catalogue name or .gguf file (default: the sweep's, else ${DEFAULT_MODEL_NAME})`)
    .option('--llama-server <path>', 'llama-server to use (default: LLAMA_SERVER, PATH, cache, else it is installed into the cache)')
    .option('--threads <n>', 'threads of llama-server in conditions that name none (-t; default: the sweep\'s, else one per CPU that it gets)', wholeNumber(1, 256))
    .option('--seed <n>', 'seed of prompt and order', wholeNumber(0, 2 ** 31 - 1), 1)
    .addOption(hostOption())
    .addOption(noReportOption())
    .option('--out <dir>', 'run folder; must be new or empty (default: results/DATE-EXPERIMENT)')
    .option('--json', 'print result.json on stdout instead of the summary')
    .action(run)
}

function sweepNames (): string[] {
  return experimentFiles().filter(isSweep).map(file => file.name)
}

/** @throws UsageError when there is no such sweep */
export function findSweep (name: string): SweepFile {
  const file = name.endsWith('.json') ? readExperiment(name) : experimentFiles().find(each => each.name === name)
  if (file === undefined) throw new UsageError(`no experiment ${JSON.stringify(name)}; there are ${sweepNames().join(', ') || 'none'}; or give the path of a .json file`)
  if (!isSweep(file)) throw new UsageError(`${name} is a comparison; type: npx harness compare --policy ${file.name}`)
  return file
}

async function run (name: string, options: RunOptions): Promise<void> {
  await runToReport({ ...sweepRun(name, options), out: options.out, json: options.json === true, report: options.report, host: options.host })
}

/** @throws UsageError about what was typed */
export function sweepRun (name: string, options: SweepOptions): PlannedRun {
  const file = findSweep(name)
  const preset = presets[options.preset]
  const conditions = onlyCells(conditionsOfSweep(file, parseKnobs), options.cells)
  const repeats = options.repeats ?? file.repeats?.[options.preset] ?? preset.repeats
  const threads = options.threads ?? file.threads
  return {
    input: {
      experiment: file.name,
      question: file.question,
      design: 'sweep',
      conditions,
      quiet: false,
      effects: options.cells === undefined ? [] : [`only some conditions of ${file.name} were run: claims that need the others are unsupported`],
      claims: file.claim === undefined ? [] : [file.claim],
      preset,
      repeats,
      load: {
        kind: 'streams',
        workload: streamsOf(file.workload),
        primary: streamsPrimaries[0],
        ...(file.outcomes === undefined ? {} : { outcomes: file.outcomes }),
        ...(file.search === undefined || !conditions.some(({ probe }) => probe !== undefined) ? {} : { search: file.search })
      },
      seed: options.seed,
      model: options.model ?? file.model ?? DEFAULT_MODEL_NAME,
      ...(threads === undefined ? {} : { threads }),
      ...(options.llamaServer === undefined ? {} : { llamaServer: options.llamaServer })
    },
    argsInVm: ['run', name, ...typedOptions({ preset: options.preset, threads: options.threads, seed: options.seed, repeats: options.repeats, cells: options.cells })],
    vm: file.vm ?? {}
  }
}
