import { readText } from '../probes/read-text.js'
import { readCgroup } from '../probes/cgroup.js'
import { atExit } from './at-exit.js'
import type { Controller, Group, GroupHost, Setting } from './contract.js'
import { enterBy, processesIn, readGroupFile, writeGroupFile } from './files.js'
import { groupName, staleGroups } from './names.js'
import { removeGroup, removeGroupNow } from './removal.js'
import type { Kernel } from './removal.js'
import type { Surroundings } from './surroundings.js'
import { V1_COUNTER_FILES, translateV1 } from './v1-counters.js'
import { V1_NAMES, findV1Place } from './v1-place.js'
import type { V1Place } from './v1-place.js'
import { V1_SETTINGS } from './v1-settings.js'
import type { V1Folders } from './v1-settings.js'

/** The v1 hierarchies as the place for our groups, or the reason why they are none. Removes groups that dead harness runs left in them. */
export async function findV1Host (around: Surroundings): Promise<Extract<GroupHost, { ok: true }> | { readonly why: string }> {
  const place = findV1Place(around)
  if ('why' in place) return place
  const parents = distinct(place.parents)
  for (const folder of parents.flatMap(parent => staleGroups(parent))) await removeGroup([folder], around.kernel).catch(() => {})
  return {
    ok: true,
    version: 'v1',
    controllers: place.controllers,
    parent: parents.join(','),
    create: async (name, controllers, { commonLimitBytes } = {}) => {
      if (commonLimitBytes !== undefined) throw new Error('a group beside llama-server\'s under one limit needs cgroup v2: run it in the VM')
      return createIn(place, name, controllers, around.kernel)
    }
  }
}

/** In all hierarchies that there are, not just those it must be in: their counters are the controls of other claims. */
function createIn (place: V1Place, name: string, needed: readonly Controller[], by: Kernel): Group {
  const lacking = needed.find(controller => !place.controllers.includes(controller))
  if (lacking !== undefined) throw new Error(`there is no v1 hierarchy for the ${lacking} controller that we may write`)
  const own = groupName(name)
  const at: V1Folders = Object.fromEntries(Object.entries(place.parents).map(([key, parent]) => [key, `${parent}/${own}`]))
  const all = distinct(at)
  const forget = atExit(() => removeGroupNow(all, by))
  for (const folder of all) by.make(folder)
  if (at.cpuset !== undefined && place.parents.cpuset !== undefined) fillCpuset(at.cpuset, place.parents.cpuset)
  return v1Group(at, all, by, forget)
}

/** A new cpuset is empty, and lets no process in before it has CPUs and memory nodes. */
function fillCpuset (folder: string, parent: string): void {
  for (const file of ['cpuset.mems', 'cpuset.cpus']) writeGroupFile(`${folder}/${file}`, readGroupFile(`${parent}/${file}`))
}

function v1Group (at: V1Folders, all: readonly string[], by: Kernel, forget: () => void): Group {
  let removed: Promise<void> | undefined
  function known (setting: Setting): NonNullable<typeof V1_SETTINGS[Setting]> {
    const found = V1_SETTINGS[setting]
    if (found === undefined) throw new Error(`cgroup v1 has no counterpart of ${setting}; it needs cgroup v2`)
    return found
  }
  return {
    version: 'v1',
    path: all.join(','),
    enter: enterBy(all.map(folder => `${folder}/cgroup.procs`)),
    async set (setting, value) { known(setting).set(at, value) },
    async get (setting) { return known(setting).get(at) },
    counters: () => ({ ...(at.unified === undefined ? {} : readCgroup(at.unified)), ...translateV1(file => readCounter(at, file)) }),
    async processes () { return processesIn(all) },
    remove () {
      removed ??= removeGroup(all, by).then(forget)
      return removed
    }
  }
}

function readCounter (at: V1Folders, file: string): string | undefined {
  const name = V1_NAMES.find(name => V1_COUNTER_FILES[name]?.includes(file))
  const folder = name === undefined ? undefined : at[name]
  return folder === undefined ? undefined : readText(`${folder}/${file}`)
}

function distinct (folders: V1Folders): string[] {
  return [...new Set(Object.values(folders))]
}
