import { readCgroup } from '../probes/cgroup.js'
import { atExit } from './at-exit.js'
import type { Group, Setting } from './contract.js'
import { enterBy, processesIn, readGroupFile } from './files.js'
import { removeGroup, removeGroupNow } from './removal.js'
import type { Kernel } from './removal.js'

/** The group in a folder that was just made; it is removed at the end of this process if nobody did before. */
export function v2Group (folder: string, by: Kernel): Group {
  const forget = atExit(() => removeGroupNow([folder], by))
  let removed: Promise<void> | undefined
  return {
    version: 'v2',
    path: folder,
    enter: enterBy([`${folder}/cgroup.procs`]),
    async set (setting: Setting, value: string) { by.write(`${folder}/${setting}`, value) },
    async get (setting: Setting) { return readGroupFile(`${folder}/${setting}`) },
    counters: () => readCgroup(folder) ?? {},
    async processes () { return processesIn([folder]) },
    remove () {
      removed ??= removeGroup([folder], by).then(forget)
      return removed
    }
  }
}
