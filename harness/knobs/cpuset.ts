import { assertAffinity } from './affinity.js'
import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { cpusOf, sameCpus } from './values.js'

const name = 'cpuset'

/** `cpuset.cpus` of llama-server's group, in the place of the affinity that it is started with. */
export const cpuset: KnobKind = {
  name,
  value: 'CPULIST',
  describe: 'CPUs of llama-server\'s group (cpuset.cpus), as in 0-1+3; llama-server is then started without an affinity of its own',
  parse (value) {
    const cpus = cpusOf(name, value)
    const spec = `${name}=${value}`
    const setting = groupSettingKnob({
      spec,
      name,
      title: `cpuset: CPU ${cpus.join(', ')}`,
      controller: 'cpuset',
      setting: 'cpuset.cpus',
      value: () => cpus.join(','),
      matches: sameCpus
    })
    return {
      ...setting,
      launch: ({ cpus: _, ...server }) => server,
      async readBack (at) {
        const seen = await setting.readBack(at)
        return { ...seen, 'llama-server CPUs': assertAffinity(spec, 'llama-server', at.pid, cpus) }
      }
    }
  }
}
