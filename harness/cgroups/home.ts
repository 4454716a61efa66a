import { existsSync } from 'node:fs'
import type { Controller } from './contract.js'
import { processesIn } from './files.js'
import { HOME, ourGroups } from './names.js'
import type { Kernel } from './removal.js'
import { controllersIn } from './v2-place.js'

/** Processes may fork while they are moved. */
const ROUNDS = 20

/**
 * Lets children of a delegated group have the `welcome` controllers; only those `needed` are insisted on. A group with children that have
 * controllers must not have processes itself (cgroup-v2.rst, "No Internal Process Constraint"), so its processes go to a leaf first.
 * Returns what brings them back at our end.
 * @throws Error that names file, value and what the kernel said
 */
export function handDown (parent: string, needed: readonly Controller[], welcome: readonly Controller[], by: Kernel): () => void {
  const has = controllersIn(`${parent}/cgroup.subtree_control`)
  const add = welcome.filter(controller => !has.includes(controller))
  // A leaf that is there already was left by a run that was killed: it is ours to clear away.
  const takeBack = (): void => bringBack(parent, existsSync(`${parent}/${HOME}`) ? welcome : add, by)
  if (add.length === 0) return takeBack
  try {
    if (existsSync(`${parent}/cgroup.events`)) leave(parent, by)
    for (const controller of add) enable(parent, controller, needed.includes(controller), by)
  } catch (error) {
    takeBack()
    throw error
  }
  return takeBack
}

function enable (parent: string, controller: Controller, insist: boolean, by: Kernel): void {
  try {
    by.write(`${parent}/cgroup.subtree_control`, `+${controller}`)
  } catch (error) {
    if (insist) throw error
  }
}

function leave (parent: string, by: Kernel): void {
  const home = `${parent}/${HOME}`
  if (!existsSync(home)) by.make(home)
  for (let round = 1; round <= ROUNDS; round++) {
    const pids = processesIn([parent])
    if (pids.length === 0) return
    pids.forEach(pid => move(pid, home, by))
  }
  throw new Error(`the processes ${processesIn([parent]).join(', ')} stay in ${parent}, so its children can have no controllers`)
}

/** Another harness run in the same group may still need what we set up: then it stays. */
function bringBack (parent: string, controllers: readonly Controller[], by: Kernel): void {
  const home = `${parent}/${HOME}`
  if (ourGroups(parent).length > 0) return
  for (const controller of controllers) by.write(`${parent}/cgroup.subtree_control`, `-${controller}`)
  if (!existsSync(home)) return
  processesIn([home]).forEach(pid => move(pid, parent, by))
  by.remove(home)
}

function move (pid: number, folder: string, by: Kernel): void {
  try {
    by.write(`${folder}/cgroup.procs`, String(pid))
  } catch (error) {
    // It ended meanwhile.
    if (existsSync(`/proc/${pid}`)) throw error
  }
}
