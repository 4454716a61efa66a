import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { parseCgroupMount, parseCgroupPath } from '../probes/cgroup.js'
import { readText } from '../probes/read-text.js'
import type { Controller } from './contract.js'
import { isWritable } from './files.js'
import { HOME } from './names.js'
import type { Surroundings } from './surroundings.js'

/** Where below cgroup2 our groups go. */
export interface V2Place {
  readonly parent: string
  readonly controllers: readonly Controller[]
  /**
   * True: the group was handed over to us with all that is in it (systemd's `Delegate=`, a container): its processes may be moved to a leaf and
   * its `cgroup.subtree_control` be written. False: the root of the hierarchy, which must have what is needed already.
   */
  readonly delegated: boolean
}

const CONTROLLERS: readonly Controller[] = ['cpu', 'cpuset', 'memory', 'io']

/** Why cgroup v2 is no place for groups; `hasControllers`: the machine has it, only this process is in the wrong group. */
export interface NoV2Place {
  readonly why: string
  readonly hasControllers: boolean
}

/** A folder to make groups in, or the reason why there is none. */
export async function findV2Place (around: Surroundings): Promise<V2Place | NoV2Place> {
  const mount = parseCgroupMount(around.mountinfo)
  const path = parseCgroupPath(around.ownGroups)
  if (mount === undefined || path === undefined) return { why: 'cgroup2 is not mounted', hasControllers: false }
  const offered = controllersIn(`${mount}/cgroup.controllers`)
  if (!offered.includes('cpu') && !offered.includes('memory')) return { why: `cgroup2 at ${mount} has neither the cpu nor the memory controller`, hasControllers: false }

  const here = join(mount, path)
  const own = basename(here) === HOME ? dirname(here) : here
  // Only groups below the real root have cgroup.events; a container's root is one of them.
  const inRoot = !existsSync(`${own}/cgroup.events`)
  if (!inRoot && canHaveChildren(own) && await isHandedOver(own, around)) {
    const controllers = controllersIn(`${own}/cgroup.controllers`)
    if (controllers.length > 0) return { parent: own, controllers, delegated: true }
  }
  const rootIsReal = !existsSync(`${mount}/cgroup.events`)
  if (around.uid === 0 && rootIsReal && isWritable(mount)) {
    // Without systemd nobody else decides what the root hands down.
    if (!around.systemd) return { parent: mount, controllers: offered, delegated: true }
    const enabled = controllersIn(`${mount}/cgroup.subtree_control`)
    if (enabled.includes('cpu') || enabled.includes('memory')) return { parent: mount, controllers: enabled, delegated: false }
  }
  const who = around.uid === 0 ? 'it' : `user ${around.uid}`
  return { why: `this process is in the group ${own}, in which ${who} may not make groups with controllers (it is not delegated)`, hasControllers: true }
}

export function controllersIn (file: string): Controller[] {
  const words = (readText(file) ?? '').trim().split(/\s+/)
  return CONTROLLERS.filter(controller => words.includes(controller))
}

/** The three things that delegation must have made writable (Documentation/admin-guide/cgroup-v2.rst, "Delegation"). */
function canHaveChildren (folder: string): boolean {
  return [folder, `${folder}/cgroup.procs`, `${folder}/cgroup.subtree_control`].every(isWritable)
}

/**
 * A folder that we may write is not ours for that: a terminal's scope belongs to the user's systemd, which has not given it away
 * (systemd, docs/CGROUP_DELEGATION.md, "single writer"). Groups below a unit and those of no unit (containers) are whoever's sits in them.
 */
async function isHandedOver (folder: string, around: Surroundings): Promise<boolean> {
  const unit = basename(folder)
  if (!around.systemd || !/\.(scope|service|slice)$/.test(unit)) return true
  return await around.isDelegated(unit, /\/user@\d+\.service\//.test(folder))
}
