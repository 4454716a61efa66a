import { UsageError } from '../usage-error.js'
import { assertAffinity } from './affinity.js'
import type { KnobKind } from './contract.js'
import { cpusOf } from './values.js'

const name = 'pinning'

/** llama-server may run on these CPUs only (sched_setaffinity by taskset). */
export const pinning: KnobKind = {
  name,
  value: '[CPULIST]',
  describe: 'llama-server runs on these CPUs only (taskset), as in 0-1+3; without a list: on the CPUs that the run gives it, away from the load',
  parse (value) {
    const listed = value === '' ? undefined : cpusOf(name, value)
    const spec = value === '' ? name : `${name}=${value}`
    return {
      spec,
      name,
      title: listed === undefined ? 'llama-server pinned to its own CPUs' : `llama-server pinned to CPU ${listed.join(', ')}`,
      controllers: [],
      launch (server) {
        const cpus = listed ?? server.cpus
        if (cpus === undefined || cpus.length === 0) throw new UsageError(`${name}: this run gives llama-server no CPUs of its own; name them, as in ${name}=1`)
        return { ...server, cpus }
      },
      async readBack (at) {
        return { 'llama-server CPUs': assertAffinity(spec, 'llama-server', at.pid, at.server.cpus ?? []) }
      }
    }
  }
}
