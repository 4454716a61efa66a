import { readdirSync, realpathSync } from 'node:fs'
import { onPath } from '../../models/command.js'
import { readText } from '../probes/read-text.js'
import { runProgram } from './run-program.js'
import { shown } from './values.js'

export interface Residency {
  readonly residentBytes: number
  readonly fileBytes: number
}

/** How much of a file is in the page cache, by fincore: no matter who read it, or whether it is mapped. */
export async function residencyOf (file: string, signal?: AbortSignal): Promise<Residency> {
  if (await onPath('fincore') === undefined) throw new Error('fincore is not on PATH. To mend: sudo apt-get install util-linux-extra (before Ubuntu 24.04 and Debian 13: util-linux)')
  return parseFincore(await runProgram(['fincore', '--json', '--bytes', '--output', 'RES,SIZE', file], signal), file)
}

/** @throws Error when it is not the JSON of fincore; numbers are strings before util-linux 2.37 */
export function parseFincore (text: string, file: string): Residency {
  const [, residentBytes] = /"res":\s*"?(\d+)/.exec(text) ?? []
  const [, fileBytes] = /"size":\s*"?(\d+)/.exec(text) ?? []
  if (residentBytes === undefined || fileBytes === undefined) throw new Error(`fincore says nothing of ${file}: ${text.trim().slice(0, 200)}`)
  return { residentBytes: Number(residentBytes), fileBytes: Number(fileBytes) }
}

/** `0 bytes of 137.6 MiB` */
export function residencyText ({ residentBytes, fileBytes }: Residency): string {
  return `${shown(residentBytes)} of ${shown(fileBytes)}`
}

/** What may stay: pages that another process reads again at once, say. */
const REST = 0.01
const TRIES = 3

/**
 * Drops a file from the page cache (POSIX_FADV_DONTNEED by dd: this file only, no root). Dirty pages are written first.
 * @throws Error with what stays, and with the processes that have the file mapped: mapped pages cannot be dropped
 */
export async function evict (file: string, signal?: AbortSignal): Promise<Residency> {
  await runProgram(['sync', file], signal)
  for (let attempt = 1; ; attempt++) {
    await runProgram(['dd', `if=${file}`, 'iflag=nocache', 'count=0', 'status=none'], signal)
    const left = await residencyOf(file, signal)
    if (left.residentBytes <= left.fileBytes * REST) return left
    if (attempt < TRIES) continue
    const pids = mappedBy(file)
    throw new Error(`${file} cannot be dropped from the page cache: ${residencyText(left)} stay${pids.length === 0 ? '' : `; it is mapped by the processes ${pids.join(', ')}: stop them first`}`)
  }
}

/** Reads a file through the page cache, as a process that `enter` puts somewhere: its pages are charged to the group there. */
export async function readThrough (file: string, enter: readonly string[], signal?: AbortSignal): Promise<Residency> {
  await runProgram(['dd', `if=${file}`, 'of=/dev/null', 'bs=64K', 'status=none'], signal, enter)
  const now = await residencyOf(file, signal)
  if (now.residentBytes < now.fileBytes * (1 - REST)) throw new Error(`${file} does not stay in the page cache: ${residencyText(now)} are there after it was read; memory is too tight, or memory-max is below its size`)
  return now
}

function mappedBy (file: string): string[] {
  const path = realpathSync(file)
  return readdirSync('/proc').filter(name => /^\d+$/.test(name) && (readText(`/proc/${name}/maps`) ?? '').includes(` ${path}\n`))
}
