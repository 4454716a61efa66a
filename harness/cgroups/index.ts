import type { GroupHost } from './contract.js'
import { howToDelegate } from './advice.js'
import { surroundings } from './surroundings.js'
import type { Surroundings } from './surroundings.js'
import { findV1Host } from './v1.js'
import { findV2Host } from './v2.js'

export type { Controller, Group, GroupHost, Setting } from './contract.js'

/**
 * Where this process may make control groups: cgroup v2 if it has cpu or memory here, else the v1 hierarchies (root only), else why not and
 * what to type. Makes nothing yet, but removes groups of harness runs that died without doing so.
 */
export async function findGroupHost (around: Surroundings = surroundings()): Promise<GroupHost> {
  const v2 = await findV2Host(around)
  if ('ok' in v2) return v2
  const v1 = await findV1Host(around)
  if ('ok' in v1) return v1
  return { ok: false, why: `${v2.why}; ${v1.why}`, mend: howToDelegate(around, v2.hasControllers) }
}
