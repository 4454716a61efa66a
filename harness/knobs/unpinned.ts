import { allowedCpus } from '../run/placement.js'
import { assertAffinity } from './affinity.js'
import type { KnobKind } from './contract.js'
import { noValue } from './values.js'

const name = 'unpinned'

/** Kernel placement: what llama-server gets when nobody cares. */
export const unpinned: KnobKind = {
  name,
  value: '',
  describe: 'llama-server runs wherever the kernel puts it, also on the CPUs of load and gateway (the opposite of pinning)',
  parse (value) {
    noValue(name, value)
    return {
      spec: name,
      name,
      title: 'llama-server placed by the kernel',
      controllers: [],
      launch: ({ cpus: _, ...server }) => server,
      async readBack (at) {
        return { 'llama-server CPUs': assertAffinity(name, 'llama-server', at.pid, allowedCpus()) }
      }
    }
  }
}
