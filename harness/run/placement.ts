import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Placement } from '../types.js'

/** `0-2,5` → [0, 1, 2, 5]: the format of Cpus_allowed_list and cpuset files. */
export function parseCpuList (text: string): number[] {
  return text.trim().split(',').filter(part => part !== '').flatMap(part => {
    const [from = NaN, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}

/** The CPUs this process may use, from /proc/self/status; where there is no /proc, as many as Node says. */
export function allowedCpus (): number[] {
  try {
    const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    if (list !== undefined) return parseCpuList(list)
  } catch {}
  return Array.from({ length: availableParallelism() }, (_, i) => i)
}

/**
 * llama-server gets CPUs of its own: its threads spin on a barrier, so any work beside them costs it twice. The first CPU
 * carries everything else (load, gateway, sampler). At most 8 CPUs for the server: beyond that memory bandwidth is the bound.
 * @param mostThreads of any condition of the run
 */
export function placeOn (cpus: readonly number[], mostThreads = 0): Placement {
  const [first = 0, ...rest] = cpus
  if (rest.length === 0) {
    return { serverCpus: [first], clientCpus: [first], note: 'one CPU: llama-server, gateway and load share it, so every figure contains the cost of the load itself' }
  }
  const serverCpus = rest.slice(0, 8)
  const crowded = mostThreads > serverCpus.length ? `; with more than ${serverCpus.length} compute thread${serverCpus.length === 1 ? '' : 's'} llama-server may run on CPU ${first}, too` : ''
  return { serverCpus, clientCpus: [first], note: `llama-server alone on CPU ${serverCpus.join(',')}; gateway, load and sampler on CPU ${first}${crowded}` }
}

/** More threads than CPUs of its own: spinning threads must not wait for each other in turns, so they get the client's, too. */
export function cpusFor ({ serverCpus, clientCpus }: Placement, threads: number): number[] {
  return threads <= serverCpus.length ? [...serverCpus] : [...new Set([...clientCpus, ...serverCpus])].sort((a, b) => a - b)
}

/** The affinity that a running process really has, over all its threads: the read-back of a placement. */
export function readAffinity (pid: number): string {
  try {
    return /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}
