import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { noValue } from './values.js'

const name = 'no-swap'

/** `memory.swap.max` of 0. */
export const noSwap: KnobKind = {
  name,
  value: '',
  describe: 'nothing of llama-server\'s group is swapped out (memory.swap.max 0); cgroup v1 needs memory-max beside it',
  parse (value) {
    noValue(name, value)
    return groupSettingKnob({ spec: name, name, title: 'no swap', controller: 'memory', setting: 'memory.swap.max', value: () => '0' })
  }
}
