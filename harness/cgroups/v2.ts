import { withController } from './advice.js'
import { atExit } from './at-exit.js'
import type { Controller, Group, GroupHost, GroupOptions } from './contract.js'
import { handDown } from './home.js'
import { childFolders, groupName, staleGroups } from './names.js'
import { removeGroup } from './removal.js'
import type { Surroundings } from './surroundings.js'
import { v2Group, v2Pair } from './v2-group.js'
import { findV2Place } from './v2-place.js'
import type { NoV2Place, V2Place } from './v2-place.js'

/** cgroup v2 as the place for our groups, or the reason why it is none. Removes groups that dead harness runs left in it. */
export async function findV2Host (around: Surroundings): Promise<Extract<GroupHost, { ok: true }> | NoV2Place> {
  const place = await findV2Place(around)
  if ('why' in place) return place
  for (const folder of staleGroups(place.parent)) await removeGroup([...childFolders(folder), folder], around.kernel).catch(() => {})
  return {
    ok: true,
    version: 'v2',
    controllers: place.controllers,
    parent: place.parent,
    create: async (name, controllers, options) => createIn(place, name, controllers, around, options)
  }
}

/** The group gets all controllers that there are, not just those it must have: their counters are the controls of other claims. */
function createIn (place: V2Place, name: string, needed: readonly Controller[], around: Surroundings, { commonLimitBytes }: GroupOptions = {}): Group {
  const lacking = needed.find(controller => !place.controllers.includes(controller))
  if (lacking !== undefined) throw new Error(withController(lacking, place.parent, around))
  if (place.delegated) atExit(handDown(place.parent, needed, place.controllers, around.kernel))
  const folder = `${place.parent}/${groupName(name)}`
  around.kernel.make(folder)
  return commonLimitBytes === undefined ? v2Group(folder, around.kernel) : v2Pair(folder, place.controllers, commonLimitBytes, around.kernel)
}
