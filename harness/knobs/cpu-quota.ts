import type { Knob, KnobKind } from './contract.js'
import { groupSettingKnob } from './group-setting.js'
import { badValue, usecOf } from './values.js'

const name = 'cpu-quota'

/** `cpu.max` of llama-server's group. The kernel allows periods from 1 ms to 1 s and quotas from 1 ms (Documentation/scheduler/sched-bwc.rst). */
export const cpuQuota: KnobKind = {
  name,
  value: 'QUOTA_MS/PERIOD_MS',
  describe: 'CPU time that llama-server\'s threads may use together in each period (cpu.max), ms; period 1 to 1000; none: a group without a quota, whose counters are the control',
  parse (value) {
    if (value === 'none') return quotaKnob(value, 'no CPU quota', 'max 100000')
    const [quotaUsec, periodUsec] = value.split('/').map(usecOf)
    if (quotaUsec === undefined || periodUsec === undefined || value.split('/').length !== 2) throw badValue(name, value, `must be QUOTA_MS/PERIOD_MS, as in ${name}=50/100, or none`)
    if (periodUsec < 1000 || periodUsec > 1_000_000) throw badValue(name, value, 'the period must be from 1 to 1000 ms')
    if (quotaUsec < 1000) throw badValue(name, value, 'the quota must be 1 ms or more')
    return quotaKnob(value, `CPU quota ${ms(quotaUsec)} ms in each ${ms(periodUsec)} ms`, `${quotaUsec} ${periodUsec}`)
  }
}

function quotaKnob (value: string, title: string, cpuMax: string): Knob {
  return groupSettingKnob({ spec: `${name}=${value}`, name, title, controller: 'cpu', setting: 'cpu.max', value: () => cpuMax })
}

function ms (usec: number): string {
  return (usec / 1000).toLocaleString('en-US')
}
