import { Command, Option } from 'commander'
import { DEFAULT_MODEL_NAME } from '../../models/catalogue.js'
import { parseKnobs } from '../knobs/index.js'
import { comparisonOf, parseToggles, toggleNames, type Comparison } from '../plan/comparison.js'
import type { ComparisonFile } from '../plan/experiment-file.js'
import { presets } from '../plan/presets.js'
import { streamsOf } from '../plan/sweep.js'
import { asksWhenAnswered, quietClasses, type ClassSpec } from '../plan/traffic.js'
import { parseMix, parseRate } from '../plan/workload.js'
import { streamsPrimaries } from '../analyse/outcomes.js'
import type { LoadSpec } from '../run/experiment.js'
import type { PresetName } from '../types.js'
import type { PlannedRun } from '../run/planned-run.js'
import { UsageError } from '../usage-error.js'
import { hostOption, type HostChoice } from './host.js'
import { noReportOption, presetHelp, repeatsOption, typedOptions, wholeNumber } from './options.js'
import { runToReport } from './run-to-report.js'

export interface ComparisonOptions {
  readonly policy: string
  readonly setting: boolean
  readonly preset: PresetName
  readonly rate?: string
  readonly mix?: string
  readonly model?: string
  readonly llamaServer?: string
  readonly slots?: number
  readonly threads?: number
  readonly sloTtftMs?: number
  readonly seed: number
  /** Pairs; absent: the preset's. */
  readonly repeats?: number
}

interface CompareOptions extends ComparisonOptions {
  readonly out?: string
  readonly json?: true
  readonly host: HostChoice
  readonly report: boolean
}

const defaultSlots = 4
/** What clients offer that ask when they were answered. */
const ANSWERED = '1x'

/** `harness compare --policy admission`: blocks with and without, the same load in both, a verdict. */
export function compareCommand (): Command {
  return new Command('compare')
    .description('measure what policies and mitigations do: the same load without and with them, on a real llama-server')
    .requiredOption('--policy <names>', `what to toggle, comma-separated: ${toggleNames().join(', ')}; two make a 2×2, more are toggled together`)
    .option('--no-setting', 'leave out the interference that the mitigation cures: on the quiet host it should change nothing')
    .addOption(new Option('--preset <name>', presetHelp(preset => preset.describe)).choices(Object.keys(presets)).default('laptop'))
    .addOption(repeatsOption('pairs of blocks (default: the experiment\'s, else the preset\'s); a verdict that cannot say names how many would tell'))
    .option('--rate <rate>', 'offered load: a multiple of the capacity such as 4x, or requests per second (default: the experiment\'s)')
    .option('--mix <classes>', 'workload classes NAME:WORDS/TOKENS:SHARE,… (default: the experiment\'s)')
    .option('--model <name>', `catalogue name or .gguf file (default: the experiment's, else ${DEFAULT_MODEL_NAME})`)
    .option('--llama-server <path>', 'llama-server to use (default: LLAMA_SERVER, PATH, cache, else it is installed into the cache)')
    .option('--slots <n>', `slots of llama-server (-np; default: the experiment's, else ${defaultSlots})`, wholeNumber(1, 64))
    .option('--threads <n>', 'threads of llama-server (-t; default: the experiment\'s, else one per CPU that it gets)', wholeNumber(1, 256))
    .option('--slo-ttft-ms <ms>', 'TTFT limit of a good request (default: the experiment\'s multiple of the unloaded TTFT, else 8 ×)', wholeNumber(1, 3_600_000))
    .option('--seed <n>', 'seed of arrivals, prompts and order', wholeNumber(0, 2 ** 31 - 1), 1)
    .addOption(hostOption())
    .addOption(noReportOption())
    .option('--out <dir>', 'run folder; must be new or empty (default: results/DATE-EXPERIMENT)')
    .option('--json', 'print result.json on stdout instead of the summary')
    .action(compare)
}

async function compare (options: CompareOptions): Promise<void> {
  await runToReport({ ...comparisonRun(options), out: options.out, json: options.json === true, report: options.report, host: options.host })
}

/** @throws UsageError about what was typed */
export function comparisonRun (options: ComparisonOptions): PlannedRun {
  const comparison = comparisonOf(parseToggles(options.policy), { quiet: !options.setting, knobsFor: parseKnobs })
  const preset = presets[options.preset]
  const repeats = options.repeats ?? comparison.lead.repeats?.[preset.name] ?? preset.pairs
  const threads = options.threads ?? comparison.threads
  return {
    input: {
      experiment: comparison.name,
      question: comparison.question,
      design: comparison.design,
      conditions: comparison.conditions,
      quiet: comparison.quiet,
      effects: comparison.effects,
      claims: comparison.claims,
      preset,
      repeats,
      load: loadOf(comparison, options),
      seed: options.seed,
      model: options.model ?? comparison.model ?? DEFAULT_MODEL_NAME,
      ...(threads === undefined ? {} : { threads }),
      ...(options.llamaServer === undefined ? {} : { llamaServer: options.llamaServer })
    },
    argsInVm: argsInVm(options),
    vm: comparison.lead.vm ?? {}
  }
}

function classesOf ({ name, mix = '', traffic }: ComparisonFile, typed: string | undefined): readonly ClassSpec[] {
  if (traffic?.classes === undefined) return parseMix(typed ?? mix)
  if (typed !== undefined) throw new UsageError(`--mix: ${name} has classes with callers or lengths of their own; leave --mix away`)
  return traffic.classes
}

function argsInVm ({ policy, setting, preset, repeats, rate, mix, slots, threads, sloTtftMs, seed }: ComparisonOptions): string[] {
  return ['compare', ...typedOptions({ policy, preset, repeats, rate, mix, slots, threads, sloTtftMs, seed }), ...setting ? [] : ['--no-setting']]
}

function loadOf ({ lead, quiet }: Comparison, options: ComparisonOptions): LoadSpec {
  if (lead.workload !== undefined) {
    for (const [name, value] of [['--rate', options.rate], ['--mix', options.mix], ['--slots', options.slots], ['--slo-ttft-ms', options.sloTtftMs]] as const) {
      if (value !== undefined) throw new UsageError(`${name}: the load of ${lead.name} is streams straight to llama-server; leave ${name} away`)
    }
    return { kind: 'streams', workload: streamsOf(lead.workload), primary: lead.primary ?? streamsPrimaries[0] }
  }
  if (options.rate !== undefined && asksWhenAnswered(lead.traffic)) {
    throw new UsageError(`--rate: ${options.rate} is a rate of arrivals; the clients of ${lead.name} ask when they were answered, so leave --rate away (--slots changes how many they are)`)
  }
  return {
    kind: 'open-loop',
    classes: quiet ? quietClasses(classesOf(lead, options.mix)) : classesOf(lead, options.mix),
    ...(lead.traffic === undefined ? {} : { traffic: lead.traffic }),
    rate: parseRate(options.rate ?? lead.rate ?? ANSWERED),
    slots: options.slots ?? lead.slots ?? defaultSlots,
    ...(options.sloTtftMs === undefined ? {} : { ttftLimitMs: options.sloTtftMs })
  }
}
