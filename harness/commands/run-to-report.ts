import { existsSync, readdirSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { createProgress } from '../render/progress.js'
import { runExperiment, type ExperimentInput } from '../run/experiment.js'
import { UsageError } from '../usage-error.js'
import { rerender } from './report.js'

export interface RunToReport {
  readonly input: Omit<ExperimentInput, 'folder' | 'signal' | 'progress'>
  /** `--out`; absent: results/DATE-EXPERIMENT. */
  readonly out: string | undefined
  /** result.json on stdout instead of the summary. */
  readonly json: boolean
  /** A first guess, until the calibration tells better. */
  readonly expectedSeconds: number
}

/**
 * Runs an experiment into a folder of its own and reports what was finished, also after Ctrl-C (exit code 130) and after a fault.
 * @throws UsageError when the folder is not empty; the run's fault after the report of the blocks before it
 */
export async function runToReport ({ input, out, json, expectedSeconds }: RunToReport): Promise<void> {
  const folder = resolve(out ?? `results/${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}-${input.experiment}`)
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`--out: ${folder} is not empty; give a new folder, or remove it first`)
  }
  const stop = new AbortController()
  let failure: unknown
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130)
    progress.note('stopping: what is finished is kept and the machine is put back (press again to leave at once: then what runs is killed and files of the block under way stay)')
    stop.abort(new Error('stopped by the user'))
  }
  const progress = createProgress(process.stderr, expectedSeconds)
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    await runExperiment({ ...input, folder, signal: stop.signal, progress })
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
  await rerender(relative('.', folder), json)
  // The blocks before the fault are valid and reported; the fault is the run's end all the same.
  if (failure !== undefined) throw failure
}
