import { existsSync, rmdirSync } from 'node:fs'
import { errorMessage } from '../../models/error-message.js'
import { processesIn, writeGroupFile } from './files.js'

/** Makes and removes folders: the kernel's part, replaced by tests that have no cgroup file system. */
export interface Folders {
  make (path: string): void
  remove (path: string): void
}

const PAUSE_MS = 10
/** A killed process that sits in uninterruptible IO leaves its group late. */
const PATIENCE_MS = 10_000
const PATIENCE_AT_EXIT_MS = 2000

/**
 * Kills what is in the folders (one group: several in v1), waits until they are empty, removes them.
 * @throws Error with what is still in them after 10 s
 */
export async function removeGroup (folders: readonly string[], remove: Folders['remove'] = rmdirSync): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (let why = removalStep(folders, remove); why !== undefined; why = removalStep(folders, remove)) {
    if (Date.now() > deadline) throw new Error(`cannot remove the group ${folders.join(',')}: ${why}`)
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
}

/** As `removeGroup`, without giving way to anything else: for the end of the process. Never throws; gives up after 2 s. */
export function removeGroupNow (folders: readonly string[], remove: Folders['remove'] = rmdirSync): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  const deadline = Date.now() + PATIENCE_AT_EXIT_MS
  while (removalStep(folders, remove) !== undefined && Date.now() < deadline) Atomics.wait(cell, 0, 0, PAUSE_MS)
}

/** One try. Undefined: all gone; else why not. */
function removalStep (folders: readonly string[], remove: Folders['remove']): string | undefined {
  const left = folders.filter(folder => existsSync(folder))
  if (left.length === 0) return undefined
  const pids = processesIn(left).filter(pid => pid !== process.pid)
  if (pids.length > 0) {
    killAll(left, pids)
    return `the processes ${pids.join(', ')} do not end`
  }
  try {
    left.forEach(folder => remove(folder))
    return undefined
  } catch (error) {
    return errorMessage(error)
  }
}

function killAll (folders: readonly string[], pids: readonly number[]): void {
  const file = folders.map(folder => `${folder}/cgroup.kill`).find(file => existsSync(file))
  try {
    if (file !== undefined) return writeGroupFile(file, '1')
  } catch {}
  for (const pid of pids) {
    try { process.kill(pid, 'SIGKILL') } catch {}
  }
}
