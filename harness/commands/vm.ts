import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Command } from 'commander'
import { stage } from '../vm/disk-images.js'
import { doctorLines } from '../vm/doctor.js'
import { acceleration } from '../vm/accel.js'
import { makeRunFolder } from '../vm/run-folder.js'
import { runInVm } from '../vm/run-in-vm.js'
import { stageCache } from '../vm/stage-cache.js'
import { VmTimeoutError } from '../vm/types.js'
import { UsageError } from '../usage-error.js'
import { wholeNumber } from './options.js'

interface RunOptions {
  readonly memory: number
  readonly cpus: number
  readonly swap: number
  readonly timeout: number
  readonly out?: string
  readonly systemd?: true
  readonly data: readonly string[]
  readonly model: readonly string[]
}

const each = (value: string, all: readonly string[]): string[] => [...all, value]

/** `harness vm doctor | run -- CMD`. */
export function vmCommand (): Command {
  const vm = new Command('vm').description('a small VM with cgroup v2 that boots this machine\'s own root file system, read-only')
  vm.command('doctor')
    .description('what the VM needs, what is missing, what to type')
    .action(async () => {
      const { lines, ok } = await doctorLines()
      console.log(lines.join('\n'))
      if (!ok) process.exitCode = 1
    })
  vm.command('run')
    .description('run a command in the VM, as root; its output and exit code come back')
    .argument('<command...>', 'program and arguments, after --')
    .option('--memory <mb>', 'memory of the VM', wholeNumber(256, 65_536), 2048)
    .option('--cpus <n>', 'CPUs of the VM', wholeNumber(1, 64), 2)
    .option('--swap <mb>', 'swap disk of the VM; 0: none', wholeNumber(0, 65_536), 0)
    .option('--timeout <s>', 'seconds in all, the boot included', wholeNumber(1, 86_400), 600)
    .option('--out <dir>', 'folder of this machine that is WEIR_OUT in the VM')
    .option('--data <dir>', 'copied to /weir/data/NAME on a disk of the VM\'s own; may be given again', each, [])
    .option('--model <name>', 'llama-server and this model on that disk, where the harness in the VM finds them; may be given again', each, [])
    .option('--systemd', 'with systemd as first program, the command as an ordinary user with a delegated cgroup subtree')
    .addHelpText('after', `
Exit code: the command's; 124 when the time was up, 125 when the VM failed, 130 after Ctrl-C.
In the VM: WEIR_VM is kvm or tcg, WEIR_OUT the results folder, WEIR_CACHE the cache on the data disk.
All that the command writes elsewhere is gone afterwards.`)
    .action(run)
  return vm
}

async function run (command: string[], options: RunOptions): Promise<void> {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(130)
    stop.abort(new Error('stopped by the user'))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  const staging = await makeRunFolder()
  try {
    const data = await staged(options, staging.path)
    const { exitCode } = await runInVm({
      command,
      memoryMb: options.memory,
      cpus: options.cpus,
      swapMb: options.swap,
      timeoutSeconds: options.timeout,
      ...options.out === undefined ? {} : { outFolder: options.out },
      ...options.systemd === undefined ? {} : { systemd: true },
      ...data,
      onOutput: (stream, bytes) => { (stream === 'out' ? process.stdout : process.stderr).write(bytes) },
      onProgress,
      signal: stop.signal
    })
    process.exitCode = exitCode
  } catch (error) {
    if (error instanceof UsageError) throw error
    process.stderr.write(`harness: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = stop.signal.aborted ? 130 : error instanceof VmTimeoutError ? 124 : 125
  } finally {
    await staging.remove()
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

function onProgress (text: string): void {
  process.stderr.write(`vm: ${text}\n`)
}

async function staged ({ data, model }: RunOptions, folder: string): Promise<{ dataFolder?: string, env?: Readonly<Record<string, string>> }> {
  if (data.length === 0 && model.length === 0) return {}
  for (const one of data) {
    const path = await realpath(one).catch(() => { throw new UsageError(`--data: ${one} does not exist`) })
    await stage(path, join(folder, basename(path))).catch(error => {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new UsageError(`--data: two folders are named ${basename(path)}; rename one`)
      throw error
    })
  }
  if (model.length === 0) return { dataFolder: folder }
  const { env } = await stageCache(folder, model, (await acceleration()).accel, onProgress)
  return { dataFolder: folder, env }
}
