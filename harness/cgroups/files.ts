import { accessSync, closeSync, constants, openSync, writeSync } from 'node:fs'
import { readText } from '../probes/read-text.js'

/** What the kernel means by these, in a group's files. */
const MEANING: Readonly<Record<string, string>> = {
  EINVAL: 'the kernel does not accept this value',
  ERANGE: 'the value is out of range',
  EBUSY: 'the group is in use or over this limit already',
  ENOENT: 'there is no such file: the kernel is too old, or the controller is not enabled here',
  ENODEV: 'there is no such device, or the group is gone',
  ENOSPC: 'the cpuset has no CPUs or no memory nodes',
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the cgroup file system is mounted read-only',
  EOPNOTSUPP: 'not supported here'
}

/**
 * Writes one setting; never makes a file.
 * @throws Error that names file, value and what the kernel said
 */
export function writeGroupFile (path: string, value: string): void {
  let file: number | undefined
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_TRUNC)
    // An empty write would not reach the kernel; an empty line empties the setting.
    writeSync(file, value === '' ? '\n' : value)
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error)
    throw new Error(`cannot write ${JSON.stringify(value)} to ${path}: ${code}${MEANING[code] === undefined ? '' : ` (${MEANING[code]})`}`)
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** @throws Error when there is no such file */
export function readGroupFile (path: string): string {
  const text = readText(path)
  if (text === undefined) throw new Error(`cannot read ${path}: ${MEANING.ENOENT}`)
  return text.trim()
}

export function isWritable (path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

/** A prefix of a command line that enters the group by these `cgroup.procs` files, in order; ends with an error when one does not let it in. */
export function enterBy (procsFiles: readonly string[]): string[] {
  const steps = procsFiles.map(file => `echo $$ > '${file.replaceAll("'", "'\\''")}'`)
  return ['sh', '-c', [...steps, 'exec "$@"'].join(' && '), 'sh']
}

/** Process ids in `cgroup.procs` of these folders, each once; a folder that is gone has none. */
export function processesIn (folders: readonly string[]): number[] {
  const lines = folders.flatMap(folder => (readText(`${folder}/cgroup.procs`) ?? '').split('\n'))
  return [...new Set(lines.map(Number).filter(pid => pid > 0))]
}
