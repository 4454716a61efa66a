import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { findGroupHost } from '../cgroups/index.js'
import { parseKnobs } from '../knobs/index.js'
import { typicalEstimate } from '../plan/typical.js'
import { createProgress, type Progress } from '../render/progress.js'
import { runExperiment } from '../run/experiment.js'
import type { PlannedRun } from '../run/planned-run.js'
import { UsageError } from '../usage-error.js'
import { chooseHost, type HostChoice } from './host.js'
import { measureInVm } from './measure-in-vm.js'
import { rerender } from './report.js'

export interface RunToReport extends PlannedRun {
  /** `--out`; absent: results/DATE-EXPERIMENT. */
  readonly out: string | undefined
  /** result.json on stdout instead of the summary. */
  readonly json: boolean
  /** False: evidence only (`--no-report`). */
  readonly report: boolean
  readonly host: HostChoice
}

/** One press may arrive twice: from the terminal, and passed on by npx or timeout. */
const samePressMs = 500

/** Ctrl-C and SIGTERM abort the signal; a second press leaves at once. `off` takes the handlers away. */
export function stopOnSignal (note: (line: string) => void): { readonly signal: AbortSignal, off (): void } {
  const stop = new AbortController()
  let firstMs = 0
  const onSignal = (): void => {
    if (stop.signal.aborted && performance.now() - firstMs < samePressMs) return
    if (stop.signal.aborted) process.exit(130)
    firstMs = performance.now()
    note('stopping: what is finished is kept and the machine is put back (press again to leave at once: then what runs is killed and files of the block under way stay)')
    stop.abort(new Error('stopped by the user'))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: stop.signal, off () { process.off('SIGINT', onSignal).off('SIGTERM', onSignal) } }
}

/** @throws UsageError when it is there and not empty */
export function newFolder (out: string | undefined, name: string): string {
  const folder = resolve(out ?? `results/${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${name}`)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`--out: ${folder} is not empty; give a new folder, or remove it first`)
  }
  return folder
}

/** @returns the exit code of the harness in the VM; 0 here */
export async function measure ({ input, argsInVm, vm }: PlannedRun, host: 'local' | 'vm', at: { readonly folder: string, readonly signal: AbortSignal, readonly progress: Progress }): Promise<number> {
  if (host === 'vm') return await measureInVm({ input, args: argsInVm, sizes: vm, folder: at.folder, signal: at.signal, note: at.progress.note })
  await runExperiment({ ...input, ...at })
  return 0
}

/**
 * Runs an experiment into a folder of its own, here or in the VM, and reports what was finished, also after Ctrl-C (exit code 130) and after a fault.
 * @throws UsageError when the folder is not empty; the run's fault after the report of the blocks before it
 */
export async function runToReport (run: RunToReport): Promise<void> {
  const { input, out, json } = run
  const folder = newFolder(out, input.experiment)
  const { host, why } = await chooseHost(run.host, input.conditions.flatMap(({ knobs }) => parseKnobs(knobs)), findGroupHost)
  let failure: unknown
  // At typical speeds, until the run has shown its own.
  const progress = progressFor(host, typicalEstimate(input, host).seconds)
  const { signal, off } = stopOnSignal(progress.note)
  try {
    if (why !== undefined) progress.note(`this needs control groups of version 2, and ${why}: it runs in a VM`)
    process.exitCode = await measure(run, host, { folder, signal, progress })
  } catch (error) {
    if (!signal.aborted && !existsSync(`${folder}/blocks`)) throw error
    if (!signal.aborted) failure = error
  } finally {
    progress.done()
    off()
  }
  if (signal.aborted) process.exitCode = 130
  if (run.report) await report(folder, json, signal.aborted)
  // The blocks before the fault are valid and reported; the fault is the run's end all the same.
  if (failure !== undefined) throw failure
}

/** The harness in the VM tells its own steps. */
export function progressFor (host: 'local' | 'vm', expectedSeconds: number): Progress {
  return host === 'local' ? createProgress(process.stderr, expectedSeconds) : linesOf(process.stderr)
}

async function report (folder: string, json: boolean, stopped: boolean): Promise<void> {
  if (existsSync(`${folder}/plan.json`)) return await rerender(relative('.', folder), json)
  if (stopped) process.stderr.write('harness: stopped before the plan was made; there is nothing to report\n')
}

function linesOf (stream: NodeJS.WriteStream): Progress {
  return { step: () => {}, note: text => { stream.write(`${text}\n`) }, done: () => {} }
}
