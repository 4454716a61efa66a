import { readdirSync } from 'node:fs'
import { parseCpuList } from '../run/placement.js'
import { readText } from '../probes/read-text.js'

/** CPU lists of all threads of a process, each once; empty when it is gone. */
export function affinities (pid: number): string[] {
  const lists = threadsOf(pid).map(tid => /^Cpus_allowed_list:\s*(.+)$/m.exec(readText(`/proc/${pid}/task/${tid}/status`) ?? '')?.[1])
  return [...new Set(lists.filter(list => list !== undefined))]
}

/** @throws Error when a thread of the process may run on other CPUs than asked */
export function assertAffinity (spec: string, what: string, pid: number, cpus: readonly number[]): string {
  const seen = affinities(pid)
  if (seen.length === 0 || seen.some(list => parseCpuList(list).join() !== cpus.join())) {
    throw new Error(`${spec}: ${what} should run on CPU ${cpus.join(',')} only, but its threads may use ${seen.length === 0 ? 'nothing: it is gone' : seen.join(' and ')}`)
  }
  return seen.join()
}

function threadsOf (pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}
