import { fileURLToPath } from 'node:url'
import { acceleration } from './accel.js'
import { makeRunFolder } from './run-folder.js'
import { runInVm } from './run-in-vm.js'
import { stageCache } from './stage-cache.js'
import type { VmResult, VmRunOptions } from './types.js'

export interface HarnessRunOptions extends Omit<VmRunOptions, 'command' | 'dataFolder' | 'env'> {
  /** Catalogue names or `.gguf` files, brought into the cache first. */
  readonly models: readonly string[]
  /** Path that the user named; absent: the one that the harness finds, or installs. */
  readonly llamaServer?: string
  /**
   * Arguments of `harness` in the VM. Results belong below `guest.out` (guest-files.ts).
   * @param models what `--model` must be there, in the order of `models` (each once)
   */
  readonly args: (models: readonly string[]) => readonly string[]
}

/**
 * Runs this same harness in the VM, with llama-server and the models on the VM's own ext4 disk. Its manifest says `vm: tcg` or `vm: kvm`.
 * Emulated threads that wait for each other need both of the host's CPUs: on a busy host a token takes 10 times as long, so measure on a quiet one.
 */
export async function runHarnessInVm ({ models, args, llamaServer, ...options }: HarnessRunOptions): Promise<VmResult> {
  const staging = await makeRunFolder()
  try {
    const staged = await stageCache(staging.path, models, (await acceleration()).accel, options.onProgress ?? (() => {}), llamaServer)
    const program = fileURLToPath(new URL('../cli.js', import.meta.url))
    return await runInVm({ ...options, command: [process.execPath, program, ...args(staged.models)], dataFolder: staging.path, env: staged.env })
  } finally {
    await staging.remove()
  }
}
