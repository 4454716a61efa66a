import { existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { errorMessage } from '../../models/error-message.js'
import { processesIn, writeGroupFile } from './files.js'

/** The cgroup file system; a test puts its own in its place. */
export interface Kernel {
  make (folder: string): void
  remove (folder: string): void
  /** As `writeGroupFile`. */
  write (file: string, value: string): void
}

export const kernel: Kernel = { make: folder => mkdirSync(folder), remove: folder => rmdirSync(folder), write: writeGroupFile }

const PAUSE_MS = 10
/** A killed process that sits in uninterruptible IO leaves its group late. */
const PATIENCE_MS = 10_000
const PATIENCE_AT_EXIT_MS = 2000

/**
 * Kills what is in the folders (one group: several in v1), waits until they are empty, removes them.
 * @throws Error with what is still in them after 10 s
 */
export async function removeGroup (folders: readonly string[], by: Kernel = kernel): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (let why = removalStep(folders, by); why !== undefined; why = removalStep(folders, by)) {
    if (Date.now() > deadline) throw new Error(`cannot remove the group ${folders.join(',')}: ${why}`)
    await new Promise(resolve => setTimeout(resolve, PAUSE_MS))
  }
}

/** As `removeGroup`, without giving way to anything else: for the end of the process. Never throws; gives up after 2 s. */
export function removeGroupNow (folders: readonly string[], by: Kernel = kernel): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  const deadline = Date.now() + PATIENCE_AT_EXIT_MS
  while (removalStep(folders, by) !== undefined && Date.now() < deadline) Atomics.wait(cell, 0, 0, PAUSE_MS)
}

/** One try. Undefined: all gone; else why not. */
function removalStep (folders: readonly string[], by: Kernel): string | undefined {
  const left = folders.filter(folder => existsSync(folder))
  if (left.length === 0) return undefined
  const pids = processesIn(left).filter(pid => pid !== process.pid)
  if (pids.length > 0) {
    killAll(left, pids, by)
    return `the processes ${pids.join(', ')} do not end`
  }
  try {
    left.forEach(folder => by.remove(folder))
    return undefined
  } catch (error) {
    return errorMessage(error)
  }
}

function killAll (folders: readonly string[], pids: readonly number[], by: Kernel): void {
  const files = folders.map(folder => `${folder}/cgroup.kill`).filter(file => existsSync(file))
  try {
    for (const file of files) by.write(file, '1')
    if (files.length > 0) return
  } catch {}
  for (const pid of pids) {
    try { process.kill(pid, 'SIGKILL') } catch {}
  }
}
