import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Controller } from './contract.js'
import { isWritable } from './files.js'
import type { Surroundings } from './surroundings.js'

/** The folder of each v1 hierarchy in which our groups go: below the group that this process is in. */
export interface V1Place {
  /** By v1 name; hierarchies mounted together share a folder. `unified`: cgroup2 beside them, without controllers: it has the groups' PSI. */
  readonly parents: Readonly<Partial<Record<V1Name, string>>>
  readonly controllers: readonly Controller[]
}

export type V1Name = 'cpu' | 'cpuacct' | 'cpuset' | 'memory' | 'blkio' | 'unified'

export const V1_NAMES: readonly V1Name[] = ['cpu', 'cpuacct', 'cpuset', 'memory', 'blkio', 'unified']
const V1_OF: Readonly<Record<Controller, V1Name>> = { cpu: 'cpu', cpuset: 'cpuset', memory: 'memory', io: 'blkio' }

/** The v1 hierarchies with a cpu or memory controller that we may write, or the reason why there are none. */
export function findV1Place (around: Surroundings): V1Place | { readonly why: string } {
  const all = parentFolders(around)
  const parents = Object.fromEntries(Object.entries(all).filter(([, folder]) => isWritable(folder) && isWritable(`${folder}/cgroup.procs`)))
  const controllers = (Object.keys(V1_OF) as Controller[]).filter(controller => parents[V1_OF[controller]] !== undefined)
  if (controllers.includes('cpu') || controllers.includes('memory')) return { parents, controllers }
  if (all.cpu === undefined && all.memory === undefined) return { why: 'no v1 hierarchy with the cpu or memory controller is mounted' }
  return { why: `user ${around.uid} may not make groups in ${all.cpu ?? all.memory}` }
}

function parentFolders ({ mountinfo, ownGroups }: Surroundings): Partial<Record<V1Name, string>> {
  const own = new Map<string, string>()
  for (const [, names = '', path = ''] of ownGroups.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    for (const name of names === '' ? ['unified'] : names.split(',')) own.set(name, path)
  }
  const parents: Partial<Record<V1Name, string>> = {}
  for (const { point, root, names } of parseV1Mounts(mountinfo)) {
    for (const name of V1_NAMES.filter(name => names.includes(name))) {
      const path = own.get(name)
      if (path === undefined) continue
      // In a container the mount begins at its own group, while the path is told from the machine's root.
      const folder = resolve(join(point, path.startsWith(root) ? path.slice(root.length) : path))
      if (existsSync(folder)) parents[name] ??= folder
    }
  }
  return parents
}

interface V1Mount { readonly point: string, readonly root: string, readonly names: readonly string[] }

/** Mounts of type cgroup with the controllers in their options, and cgroup2 as `unified` (proc(5): octal escapes for blanks). */
export function parseV1Mounts (mountinfo: string): V1Mount[] {
  return mountinfo.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const [type = '', , options = ''] = after.split(' ')
    const [, , , root = '', point = ''] = before.split(' ').map(field => field.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))))
    if (type === 'cgroup2') return [{ point, root: root === '/' ? '' : root, names: ['unified'] }]
    return type === 'cgroup' ? [{ point, root: root === '/' ? '' : root, names: options.split(',') }] : []
  })
}
