import { onPath, runCommand } from './command.js'

type Wrapper = readonly string[]

/**
 * `taskset -c …`, for a process that may run on these CPUs only.
 * @throws Error when there is no taskset (Linux: util-linux; macOS: none).
 */
export async function cpuWrapper (cpus: readonly number[], env: NodeJS.ProcessEnv): Promise<Wrapper> {
  const wrong = cpus.find(cpu => !Number.isSafeInteger(cpu) || cpu < 0)
  if (cpus.length === 0 || wrong !== undefined) throw new Error(`llama-server: cpus is [${cpus.join(', ')}], but must be CPU numbers of 0 or more, at least one; leave it away for all CPUs`)
  const taskset = await onPath('taskset', env)
  if (taskset === undefined) throw new Error('llama-server: cpus needs taskset, which is not on PATH. Install util-linux, or leave cpus away (on macOS there is no way).')
  return [taskset, '-c', cpus.join(',')]
}

/** `$0` is the pid of the one that starts it: who ended before setpriv was under way is not that one's parent any more. */
const ONLY_UNDER_PARENT = '[ "$PPID" = "$0" ] || exit 1; exec "$@"'

/**
 * `setpriv --pdeathsig KILL`, for a process that the kernel kills when the thread that started it ends, however that ends, and that does not
 * begin when that had ended already. Undefined where setpriv is missing or cannot do it (macOS, BusyBox).
 */
export async function parentDeathWrapper (env: NodeJS.ProcessEnv): Promise<Wrapper | undefined> {
  const setpriv = await onPath('setpriv', env)
  const noop = await onPath('true', env)
  const shell = await onPath('sh', env)
  if (process.platform !== 'linux' || setpriv === undefined || noop === undefined || shell === undefined) return undefined
  const guard = [setpriv, '--pdeathsig', 'KILL']
  const wrapper = [...guard, shell, '-c', ONLY_UNDER_PARENT, String(process.pid)]
  return await runCommand(setpriv, [...guard.slice(1), noop], { timeoutMs: 5000 }).then(() => wrapper, () => undefined)
}
