import { Option } from 'commander'
import type { GroupHost } from '../cgroups/contract.js'
import type { Knob } from '../knobs/contract.js'
import { controllersOf } from '../run/knob-stages.js'
import type { HostOfRun } from '../run/planned-run.js'
import { UsageError } from '../usage-error.js'

/** `--host`. */
export type HostChoice = typeof hostChoices[number]

const hostChoices = ['auto', 'local', 'vm'] as const

export function hostOption (): Option {
  return new Option('--host <where>', 'local: this machine (where it has only cgroup v1, limits are version 1 and labelled so); vm: a VM with cgroup v2 (harness vm doctor); ' +
    'auto: local, unless a knob needs cgroup v2 and this machine cannot give it').choices(hostChoices).default('auto')
}

/**
 * @param weirVm `WEIR_VM`, set in the VM
 * @throws UsageError when a VM is asked for inside the VM
 */
export async function chooseHost (asked: HostChoice, knobs: readonly Knob[], groupHost: () => Promise<GroupHost>, weirVm = process.env['WEIR_VM']): Promise<HostOfRun> {
  if (asked === 'vm' && weirVm !== undefined) throw new UsageError('--host vm: this is the VM already; leave --host away')
  if (asked !== 'auto') return { host: asked }
  if (weirVm !== undefined) return { host: 'local' }
  const lack = await lackOfVersion2(knobs, groupHost)
  return lack === undefined ? { host: 'local' } : { host: 'vm', why: lack }
}

/** Why this machine cannot give these knobs groups of version 2; undefined when it can, or none is needed. */
async function lackOfVersion2 (knobs: readonly Knob[], groupHost: () => Promise<GroupHost>): Promise<string | undefined> {
  const needed = controllersOf(knobs)
  if (needed.length === 0) return undefined
  const found = await groupHost()
  if (!found.ok) return `${found.why} (without the VM: ${found.mend})`
  if (found.version === 'v1') return 'this machine has its controllers in version 1 only (with those: --host local)'
  const lacking = needed.filter(controller => !found.controllers.includes(controller))
  return lacking.length === 0 ? undefined : `${found.parent} lacks ${lacking.join(', ')}`
}
