import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { findGroupHost } from '../cgroups/index.js'
import { parseKnobs } from '../knobs/index.js'
import { createProgress, type Progress } from '../render/progress.js'
import { runExperiment, type ExperimentInput } from '../run/experiment.js'
import { UsageError } from '../usage-error.js'
import { chooseHost, type HostChoice } from './host.js'
import { measureInVm, type VmSizes } from './measure-in-vm.js'
import { rerender } from './report.js'

export interface RunToReport {
  readonly input: Omit<ExperimentInput, 'folder' | 'signal' | 'progress'>
  /** `--out`; absent: results/DATE-EXPERIMENT. */
  readonly out: string | undefined
  /** result.json on stdout instead of the summary. */
  readonly json: boolean
  /** False: evidence only (`--no-report`). */
  readonly report: boolean
  readonly host: HostChoice
  /** Command line of this run in a VM, but for where and on which model and llama-server. */
  readonly argsInVm: readonly string[]
  readonly vm: VmSizes
  /** A first guess, until the calibration tells better. */
  readonly expectedSeconds: number
}

/** One press may arrive twice: from the terminal, and passed on by npx or timeout. */
const samePressMs = 500

/**
 * Runs an experiment into a folder of its own, here or in the VM, and reports what was finished, also after Ctrl-C (exit code 130) and after a fault.
 * @throws UsageError when the folder is not empty; the run's fault after the report of the blocks before it
 */
export async function runToReport (run: RunToReport): Promise<void> {
  const { input, out, json, expectedSeconds } = run
  const folder = resolve(out ?? `results/${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${input.experiment}`)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`--out: ${folder} is not empty; give a new folder, or remove it first`)
  }
  const { host, why } = await chooseHost(run.host, input.conditions.flatMap(({ knobs }) => parseKnobs(knobs)), findGroupHost)
  const stop = new AbortController()
  let failure: unknown
  let firstMs = 0
  const onSignal = (): void => {
    if (stop.signal.aborted && performance.now() - firstMs < samePressMs) return
    if (stop.signal.aborted) process.exit(130)
    firstMs = performance.now()
    progress.note('stopping: what is finished is kept and the machine is put back (press again to leave at once: then what runs is killed and files of the block under way stay)')
    stop.abort(new Error('stopped by the user'))
  }
  const progress = host === 'local' ? createProgress(process.stderr, expectedSeconds) : linesOf(process.stderr)
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    if (why !== undefined) progress.note(`this needs control groups of version 2, and ${why}: it runs in a VM`)
    const at = { folder, signal: stop.signal }
    if (host === 'local') await runExperiment({ ...input, ...at, progress })
    else process.exitCode = await measureInVm({ input, args: run.argsInVm, sizes: run.vm, ...at, note: progress.note })
  } catch (error) {
    if (!stop.signal.aborted && !existsSync(`${folder}/blocks`)) throw error
    if (!stop.signal.aborted) failure = error
  } finally {
    progress.done()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
  if (stop.signal.aborted) process.exitCode = 130
  if (run.report) await report(folder, json, stop.signal.aborted)
  // The blocks before the fault are valid and reported; the fault is the run's end all the same.
  if (failure !== undefined) throw failure
}

async function report (folder: string, json: boolean, stopped: boolean): Promise<void> {
  if (existsSync(`${folder}/plan.json`)) return await rerender(relative('.', folder), json)
  if (stopped) process.stderr.write('harness: stopped before the plan was made; there is nothing to report\n')
}

/** The harness in the VM tells its own steps. */
function linesOf (stream: NodeJS.WriteStream): Progress {
  return { step: () => {}, note: text => { stream.write(`${text}\n`) }, done: () => {} }
}
