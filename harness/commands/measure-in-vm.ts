import { guest } from '../vm/guest-files.js'
import { needLinuxX64, needPrograms } from '../vm/machine.js'
import { runHarnessInVm } from '../vm/run-harness.js'
import { UsageError } from '../usage-error.js'
import type { ExperimentInput } from '../run/experiment.js'
import type { VmSizes } from '../run/planned-run.js'

export interface MeasureInVm {
  readonly input: Pick<ExperimentInput, 'model' | 'conditions' | 'llamaServer'>
  /** Command line of this run, but for `--host`, `--out`, `--model` and `--llama-server`. */
  readonly args: readonly string[]
  readonly sizes: VmSizes
  readonly folder: string
  readonly signal: AbortSignal
  /** Lines of the VM's own start, without a newline. */
  readonly note: (line: string) => void
}

/** The VM bounds itself by what the harness in it does: a call, a start and a stop each have their own patience. */
const longestSeconds = 86_400
/** An emulated harness takes back its groups and servers in a few seconds. */
const stopGraceSeconds = 30

/**
 * The same harness in the VM, with `--host local`; its evidence lies in `folder` as it is written, its progress goes to stderr, nothing is rendered.
 * @returns its exit code
 * @throws before anything is started when the VM cannot be; the signal's reason; what became of the VM
 */
export async function measureInVm ({ input, args, sizes, folder, signal, note }: MeasureInVm): Promise<number> {
  needLinuxX64()
  await needPrograms()
  const { exitCode } = await runHarnessInVm({
    ...sizes,
    models: modelsOf(input),
    args: ([model = input.model]) => [...args, '--host', 'local', '--no-report', '--out', guest.out, '--model', model],
    ...input.llamaServer === undefined ? {} : { llamaServer: input.llamaServer },
    outFolder: folder,
    timeoutSeconds: longestSeconds,
    stopGraceSeconds,
    onOutput: (_, bytes) => { process.stderr.write(bytes) },
    onProgress: text => note(`vm: ${text}`),
    signal
  })
  return exitCode
}

/** @throws UsageError about a condition whose model is a file: there it lies elsewhere */
function modelsOf ({ model, conditions }: MeasureInVm['input']): string[] {
  const others = conditions.flatMap(condition => condition.model ?? [])
  const file = others.find(name => /[\\/]|\.gguf$/i.test(name))
  if (file !== undefined) throw new UsageError(`--host vm: a condition names the model file ${file}; give it a name of the catalogue (npx harness models list), or run with --host local`)
  return [model, ...others]
}
