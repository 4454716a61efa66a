import type { Group } from '../cgroups/contract.js'
import { evict, readThrough, residencyText } from './residency.js'
import { shown } from './values.js'

/** Counters are gathered in batches by CPU. */
const ENOUGH = 0.9

/**
 * Reads a file into the page cache so that it is charged to the group: pages belong to whoever read them first, so they are dropped before.
 * Returns what is resident and charged.
 * @throws Error when they cannot be dropped, do not stay, or are charged to somebody else
 */
export async function warmInGroup (spec: string, file: string, group: Group, signal: AbortSignal): Promise<string> {
  await evict(file, signal)
  const chargedBefore = group.counters()['memory.stat.file']
  const now = await readThrough(file, group.enter, signal)
  const chargedAfter = group.counters()['memory.stat.file']
  if (chargedBefore === undefined || chargedAfter === undefined) return residencyText(now)
  const charged = chargedAfter - chargedBefore
  if (charged < now.fileBytes * ENOUGH) throw new Error(`${spec}: ${file} is in the page cache, but only ${shown(charged)} of ${shown(now.fileBytes)} are charged to the group ${group.path}: another process read it meanwhile`)
  return `${residencyText(now)}, ${shown(charged)} charged to llama-server's group`
}
