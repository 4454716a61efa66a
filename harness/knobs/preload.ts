import type { KnobKind } from './contract.js'
import { groupOf } from './group-setting.js'
import { noValue } from './values.js'
import { warmInGroup } from './warm-in-group.js'

const name = 'preload'

/** The model's pages belong to llama-server's group before it starts. */
export const preload: KnobKind = {
  name,
  value: '',
  describe: 'the model file is read into the page cache inside llama-server\'s group before it starts, so that its memory limit counts it',
  parse (value) {
    noValue(name, value)
    let before: string | undefined
    return {
      spec: name,
      name,
      title: 'model file read ahead inside llama-server\'s group',
      controllers: ['memory'],
      async before (at) {
        before = await warmInGroup(name, at.server.model.path, groupOf(name, at), at.signal)
        return async () => {}
      },
      async readBack () {
        if (before === undefined) throw new Error(`${name}: the model was not read before the start`)
        return { 'model file read ahead': before }
      }
    }
  }
}
