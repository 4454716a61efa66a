import { readFile } from 'node:fs/promises'

/** A kernel counter of processes that were killed for want of memory. */
export interface OomCounter {
  readonly path: string
  /** Undefined when it cannot be read any more. */
  readonly read: () => Promise<number | undefined>
}

/**
 * The counter that a kill of this process for want of memory must raise, whichever limit was at its end: that of its own control group (Linux 4.13; version 2
 * and version 1), else the whole machine's. Undefined off Linux, and when the process has gone.
 */
export async function oomCounterOf (pid: number): Promise<OomCounter | undefined> {
  const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '')
  for (const path of [...counterPaths(groups), '/proc/vmstat']) {
    const read = async (): Promise<number | undefined> => parseOomKills(await readFile(path, 'utf8').catch(() => ''))
    if (groups !== '' && await read() !== undefined) return { path, read }
  }
  return undefined
}

/** Files to try for what `/proc/PID/cgroup` says; the root group of version 2 has none. */
export function counterPaths (groups: string): string[] {
  return groups.split('\n').flatMap(line => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) return []
    const inside = path === '/' ? '' : path
    if (controllers === '') return [`/sys/fs/cgroup${inside}/memory.events`, `/sys/fs/cgroup/unified${inside}/memory.events`]
    return controllers.split(',').includes('memory') ? [`/sys/fs/cgroup/memory${inside}/memory.oom_control`] : []
  })
}

/** The line `oom_kill N` of memory.events, memory.oom_control and /proc/vmstat alike. */
export function parseOomKills (text: string): number | undefined {
  const found = /^oom_kill (\d+)$/m.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}
