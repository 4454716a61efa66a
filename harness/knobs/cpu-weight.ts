import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { wholeIn } from './values.js'

const name = 'cpu-weight'

/** `cpu.weight` of llama-server's group: its share against what runs beside it in the same parent group, nothing else. */
export const cpuWeight: KnobKind = {
  name,
  value: 'N',
  describe: 'share of llama-server\'s group against the groups and processes beside it (cpu.weight), 1 to 10000, 100 is usual; no effect on an idle CPU',
  parse (value) {
    const weight = wholeIn(name, value, 1, 10_000)
    return groupSettingKnob({
      spec: `${name}=${value}`,
      name,
      title: `CPU weight ${weight.toLocaleString('en-US')}`,
      controller: 'cpu',
      setting: 'cpu.weight',
      value: () => String(weight)
    })
  }
}
