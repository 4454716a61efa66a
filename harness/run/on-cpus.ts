/** Command and arguments that run a program on just these CPUs; unchanged where the platform has no taskset (macOS) or none are named. */
export function onCpus (cpus: readonly number[], command: string, args: readonly string[]): [string, string[]] {
  if (cpus.length === 0 || process.platform !== 'linux') return [command, [...args]]
  return ['taskset', ['-c', cpus.join(','), command, ...args]]
}
