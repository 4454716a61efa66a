import type { KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { badValue, usecOf } from './values.js'

const name = 'cpu-burst'

/** `cpu.max.burst` of llama-server's group. */
export const cpuBurst: KnobKind = {
  name,
  value: 'MS',
  describe: 'unused quota that may be saved up for a busy period (cpu.max.burst), ms; at most the quota of cpu-quota',
  parse (value) {
    const usec = usecOf(value)
    if (usec === undefined) throw badValue(name, value, `must be milliseconds from 0 up, as in ${name}=50`)
    return groupSettingKnob({
      spec: `${name}=${value}`,
      name,
      title: `CPU burst ${(usec / 1000).toLocaleString('en-US')} ms`,
      controller: 'cpu',
      setting: 'cpu.max.burst',
      value: () => String(usec)
    })
  }
}
