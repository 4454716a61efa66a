import { existsSync } from 'node:fs'
import { atExit } from './at-exit.js'
import type { Controller } from './contract.js'
import { processesIn, writeGroupFile } from './files.js'
import { HOME, ourGroups } from './names.js'
import type { Folders } from './removal.js'
import { controllersIn } from './v2-place.js'

/** Processes may fork while they are moved. */
const ROUNDS = 20

/**
 * Lets children of a delegated group have the `welcome` controllers; only those `needed` are insisted on. A group with children that have controllers must not have processes itself
 * (cgroup-v2.rst, "No Internal Process Constraint"), so its processes go to a leaf first; at our end they come back.
 * @throws Error that names file, value and what the kernel said
 */
export function handDown (parent: string, needed: readonly Controller[], welcome: readonly Controller[], folders: Folders): void {
  const has = controllersIn(`${parent}/cgroup.subtree_control`)
  const add = welcome.filter(controller => !has.includes(controller))
  if (add.length === 0) return
  atExit(() => takeBack(parent, add, folders))
  if (existsSync(`${parent}/cgroup.events`)) leave(parent, folders)
  for (const controller of add) {
    try {
      writeGroupFile(`${parent}/cgroup.subtree_control`, `+${controller}`)
    } catch (error) {
      if (needed.includes(controller)) throw error
    }
  }
}

function leave (parent: string, folders: Folders): void {
  const home = `${parent}/${HOME}`
  if (!existsSync(home)) folders.make(home)
  for (let round = 1; round <= ROUNDS; round++) {
    const pids = processesIn([parent])
    if (pids.length === 0) return
    pids.forEach(pid => move(pid, home))
  }
  throw new Error(`the processes ${processesIn([parent]).join(', ')} stay in ${parent}, so its children can have no controllers`)
}

/** Another harness run in the same group may still need what we set up: then it stays. */
function takeBack (parent: string, added: readonly Controller[], folders: Folders): void {
  const home = `${parent}/${HOME}`
  if (ourGroups(parent).length > 0) return
  for (const controller of added) writeGroupFile(`${parent}/cgroup.subtree_control`, `-${controller}`)
  if (!existsSync(home)) return
  processesIn([home]).forEach(pid => move(pid, parent))
  folders.remove(home)
}

function move (pid: number, folder: string): void {
  try {
    writeGroupFile(`${folder}/cgroup.procs`, String(pid))
  } catch (error) {
    // It ended meanwhile.
    if (existsSync(`/proc/${pid}`)) throw error
  }
}
