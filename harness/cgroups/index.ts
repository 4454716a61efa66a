import type { GroupHost } from './contract.js'

export type { Controller, Group, GroupHost, Setting } from './contract.js'

/**
 * Where this process may make control groups: cgroup v2 if it has cpu and memory here, else the v1 hierarchies (root only), else why not and
 * what to type. Makes nothing yet, but removes groups of harness runs that died without doing so.
 */
export async function findGroupHost (): Promise<GroupHost> {
  return { ok: false, why: 'not built yet', mend: '' }
}
