import { statSync } from 'node:fs'
import { startServer } from '../../models/start.js'
import type { ServerOptions } from '../../models/types.js'
import { readText } from '../probes/read-text.js'
import { runProgram } from '../knobs/run-program.js'

/**
 * Starts llama-server once outside all groups of ours and reads what it has mapped, the model left out: a page belongs to the group that read it first,
 * so that afterwards no block pays for the program's own text, and a memory limit is about the model.
 */
export async function freeLibraries (server: ServerOptions, signal: AbortSignal): Promise<string[]> {
  const running = await startServer(server)
  let files: string[]
  try {
    files = mappedFiles(readText(`/proc/${running.pid}/maps`) ?? '').filter(file => file !== server.model.path && isFile(file))
  } finally {
    await running.stop()
  }
  for (const file of files) await runProgram(['dd', `if=${file}`, 'of=/dev/null', 'bs=64K', 'status=none'], signal)
  return files
}

/** Each once, in the order of /proc/PID/maps. */
export function mappedFiles (maps: string): string[] {
  return [...new Set([...maps.matchAll(/ (\/.*)$/gm)].map(match => match[1] ?? ''))].filter(path => !path.endsWith(' (deleted)'))
}

function isFile (path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
