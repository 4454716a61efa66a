import type { KnobKind } from './contract.js'
import { groupOf } from './group-setting.js'
import { sameLimit } from './memory-setting.js'
import { badValue, bytesOf, shown } from './values.js'

const name = 'memory-drop'

/** `memory.max` lowered under a server that is answering, as an operator or an autoscaler does: it reclaims, and kills what cannot be reclaimed. */
export const memoryDrop: KnobKind = {
  name,
  value: 'BYTES',
  describe: 'hard limit of llama-server\'s group lowered to this once the load has begun (memory.max): what cannot be reclaimed is killed in the middle of an answer',
  parse (value) {
    if (value === 'max') throw badValue(name, value, `must be bytes, as in ${name}=64M`)
    const asked = String(bytesOf(name, value, 1))
    const spec = `${name}=${value}`
    return {
      spec,
      name,
      title: `memory limit lowered to ${shown(Number(asked))} once the load has begun`,
      controllers: ['memory'],
      async underLoad (at) {
        const group = groupOf(spec, at)
        const former = await group.get('memory.max')
        await group.set('memory.max', asked)
        const seen = await group.get('memory.max')
        if (!sameLimit(asked, seen)) throw new Error(`${spec}: asked for memory.max ${asked}, but the kernel has ${seen} in ${group.path}`)
        return () => group.set('memory.max', former)
      },
      async readBack (at) {
        return { 'memory.max before the load': await groupOf(spec, at).get('memory.max') }
      }
    }
  }
}
