import { Command } from 'commander'
import { runInVm } from '../vm/run-in-vm.js'
import { VmTimeoutError } from '../vm/types.js'
import { wholeNumber } from './options.js'

interface RunOptions {
  readonly memory: number
  readonly cpus: number
  readonly swap: number
  readonly timeout: number
  readonly out?: string
}

/** `harness vm doctor | run -- CMD`. */
export function vmCommand (): Command {
  const vm = new Command('vm').description('a small VM with cgroup v2 that boots this machine\'s own root file system, read-only')
  vm.command('run')
    .description('run a command in the VM, as root; its output and exit code come back')
    .argument('<command...>', 'program and arguments, after --')
    .option('--memory <mb>', 'memory of the VM', wholeNumber(256, 65_536), 2048)
    .option('--cpus <n>', 'CPUs of the VM', wholeNumber(1, 64), 2)
    .option('--swap <mb>', 'swap disk of the VM; 0: none', wholeNumber(0, 65_536), 0)
    .option('--timeout <s>', 'seconds in all, the boot included', wholeNumber(1, 86_400), 600)
    .option('--out <dir>', 'folder of this machine that is WEIR_OUT in the VM')
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
  try {
    const { exitCode } = await runInVm({
      command,
      memoryMb: options.memory,
      cpus: options.cpus,
      swapMb: options.swap,
      timeoutSeconds: options.timeout,
      ...options.out === undefined ? {} : { outFolder: options.out },
      onOutput: (stream, data) => { (stream === 'out' ? process.stdout : process.stderr).write(data) },
      onProgress: text => { process.stderr.write(`vm: ${text}\n`) },
      signal: stop.signal
    })
    process.exitCode = exitCode
  } catch (error) {
    process.stderr.write(`harness: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = stop.signal.aborted ? 130 : error instanceof VmTimeoutError ? 124 : 125
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}
