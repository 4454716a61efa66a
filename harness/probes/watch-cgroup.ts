import { join } from 'node:path'
import { COUNTER_FILES, isEmpty, LIMIT_FILES, parseCgroupFile } from './cgroup.js'
import { keptFile } from './read-text.js'

export interface CgroupWatch {
  /** Counters, and the limits too when asked; undefined when there are none (or the group is gone). */
  read (how: { readonly withLimits: boolean }): Record<string, number> | undefined
}

/** The files of one v2 group, kept open for the life of our own process; those that the kernel or its controllers do not offer are never asked again. */
export function watchCgroup (folder: string): CgroupWatch {
  const open = (names: readonly string[]) => names.map(name => ({ name, file: keptFile(join(folder, name)) }))
  const [counters, limits] = [open(COUNTER_FILES), open(LIMIT_FILES)]
  function readInto (files: typeof counters, into: Record<string, number>): void {
    for (const { name, file } of files) {
      const text = file.read()
      if (text !== undefined) parseCgroupFile(name, text, into)
    }
  }
  return {
    read ({ withLimits }) {
      const found: Record<string, number> = {}
      readInto(counters, found)
      // Without a counter the group is gone, and with it its limits.
      if (isEmpty(found)) return undefined
      if (withLimits) readInto(limits, found)
      return found
    }
  }
}
