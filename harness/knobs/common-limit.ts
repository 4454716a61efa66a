import type { KnobKind } from './contract.js'
import { groupOf } from './group-setting.js'
import { sameLimit } from './memory-setting.js'
import { bytesOf, shown } from './values.js'

const name = 'common-limit'

/** One `memory.max` above llama-server's group and a group beside it: what a pod or a slice is to its containers. */
export const commonLimit: KnobKind = {
  name,
  value: 'BYTES',
  describe: 'llama-server\'s group lies with another one in a group of this memory limit (memory.max), as containers of one pod do; hogs go into that other one by @beside; cgroup v2 only',
  parse (value) {
    const asked = bytesOf(name, value, 1)
    const spec = `${name}=${value}`
    return {
      spec,
      name,
      title: `memory limit ${shown(asked)} in common with what runs beside it`,
      controllers: ['memory'],
      commonLimitBytes: asked,
      async readBack (at) {
        const { beside, path } = groupOf(spec, at)
        if (beside === undefined) throw new Error(`${spec}: the group ${path} has none beside it`)
        const seen = beside.commonLimit()
        if (!sameLimit(String(asked), seen)) throw new Error(`${spec}: asked for memory.max ${asked} above both groups, but the kernel has ${seen}`)
        return { 'memory.max of both groups': seen }
      }
    }
  }
}
