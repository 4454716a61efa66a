import { join } from 'node:path'
import { COUNTER_FILES, LIMIT_FILES, parseCgroupFile } from './cgroup.js'
import { keptFile } from './read-text.js'

export interface CgroupWatch {
  /** Counters as they are now, limits as they were at the last reading `withLimits`; undefined when there are none (or the group is gone). */
  read (how: { readonly withLimits: boolean }): Record<string, number> | undefined
}

/** The files of one v2 group, kept open for the life of our own process; those that the kernel or its controllers do not offer are never asked again. */
export function watchCgroup (folder: string): CgroupWatch {
  const open = (names: readonly string[]) => names.map(name => ({ name, file: keptFile(join(folder, name)) }))
  const [counters, limits] = [open(COUNTER_FILES), open(LIMIT_FILES)]
  const entriesOf = (files: typeof counters): [string, number][] => files.flatMap(({ name, file }) => parseCgroupFile(name, file.read() ?? ''))
  let limitEntries: [string, number][] = []
  return {
    read ({ withLimits }) {
      const counterEntries = entriesOf(counters)
      if (withLimits) limitEntries = entriesOf(limits)
      // Without a counter the group is gone, and with it its limits.
      return counterEntries.length === 0 ? undefined : Object.fromEntries([...counterEntries, ...limitEntries])
    }
  }
}
