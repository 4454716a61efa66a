import { readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { readText } from '../probes/read-text.js'

/** The leaf that processes of a delegated group move to, so that the group may have children with controllers. */
export const HOME = 'weir-home'

let count = 0

/** `weir-PID-START-N-NAME`: whose group it is can be read off its name, also when pids have come round. */
export function groupName (name: string): string {
  return `weir-${process.pid}-${startTicks(process.pid) ?? 0}-${++count}-${name.replace(/[^\w.-]+/g, '_').slice(0, 60)}`
}

/** Whether the harness run that made this group still runs. Undefined: not a name of ours. */
export function ownerLives (name: string, ticksOf: (pid: number) => number | undefined = startTicks): boolean | undefined {
  const [, pid, start] = /^weir-(\d+)-(\d+)-\d+-/.exec(name) ?? []
  if (pid === undefined || start === undefined) return undefined
  return ticksOf(Number(pid)) === Number(start)
}

/** Folders below `parent` whose harness run is gone. */
export function staleGroups (parent: string, ticksOf?: (pid: number) => number | undefined): string[] {
  return childFolders(parent).filter(folder => ownerLives(basename(folder), ticksOf) === false)
}

/** Folders below `parent` that belong to harness runs, this one's too. */
export function ourGroups (parent: string): string[] {
  return childFolders(parent).filter(folder => ownerLives(basename(folder)) !== undefined)
}

/** Groups directly below a group. */
export function childFolders (parent: string): string[] {
  try {
    return readdirSync(parent, { withFileTypes: true }).filter(entry => entry.isDirectory()).map(entry => `${parent}/${entry.name}`)
  } catch {
    return []
  }
}

/** Start of a process in clock ticks after boot (field 22 of /proc/PID/stat); undefined when it is gone or dead and not yet waited for. */
export function startTicks (pid: number): number | undefined {
  const text = readText(`/proc/${pid}/stat`)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : Number(fields[19])
}
