import { readCgroup } from '../probes/cgroup.js'
import { atExit } from './at-exit.js'
import type { Controller, Group, Setting } from './contract.js'
import { enterBy, processesIn, readGroupFile } from './files.js'
import { removeGroup, removeGroupNow } from './removal.js'
import type { Kernel } from './removal.js'

/** The group in a folder that was just made; it is removed at the end of this process if nobody did before. */
export function v2Group (folder: string, by: Kernel): Group {
  return groupIn(folder, [folder], by)
}

/** A group and one beside it, in the folder that was just made and that gets the limit of both. */
export function v2Pair (folder: string, controllers: readonly Controller[], commonLimitBytes: number, by: Kernel): Group {
  const [own, other] = [`${folder}/server`, `${folder}/beside`]
  const group = groupIn(own, [own, other, folder], by)
  for (const controller of controllers) by.write(`${folder}/cgroup.subtree_control`, `+${controller}`)
  by.write(`${folder}/memory.max`, String(commonLimitBytes))
  by.make(own)
  by.make(other)
  return { ...group, beside: { enter: enterBy([`${other}/cgroup.procs`]), processes: () => processesIn([other]), commonLimit: () => readGroupFile(`${folder}/memory.max`) } }
}

/** @param all its folders, those inside others before them */
function groupIn (folder: string, all: readonly string[], by: Kernel): Group {
  const forget = atExit(() => removeGroupNow(all, by))
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
      removed ??= removeGroup(all, by).then(forget)
      return removed
    }
  }
}
