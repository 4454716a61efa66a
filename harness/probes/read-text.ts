import { closeSync, openSync, readSync } from 'node:fs'

export { parseKeyed } from './keyed.js'

/**
 * The kernel files that the sampler keeps open have records (lines) under 1 KB, and a read of such a file ends early only where the next record does not
 * fit into a page: a shorter one is all there is, and a second read that finds nothing more is saved.
 */
const WHOLE_UNDER_BYTES = 3072

let buffer = Buffer.allocUnsafe(16_384)

/** A small kernel file that is read again and again without being opened each time. */
export interface KeptFile {
  /** Its text now, byte by byte (latin1), or only so many bytes of its end. Undefined when there is no such file, no permission, or what it tells of is gone: then for good. */
  read (lastBytes?: number): string | undefined
  close (): void
}

/** Stays open until it is closed, or until a read fails. An open file of /proc/PID means that process, whoever gets its number later. */
export function keptFile (path: string): KeptFile {
  let file = open(path)
  function close (): void {
    if (file !== undefined) closeSync(file)
    file = undefined
  }
  return {
    close,
    read (lastBytes = Infinity) {
      if (file === undefined) return undefined
      const length = readInto(file, WHOLE_UNDER_BYTES)
      if (length !== undefined) return buffer.toString('latin1', Math.max(0, length - lastBytes), length)
      close()
      return undefined
    }
  }
}

/**
 * The text of a kernel file, or undefined when there is none (or no permission, or its process is gone).
 * `readFileSync` costs several more calls on files that say they are empty.
 */
export function readText (path: string): string | undefined {
  const file = open(path)
  if (file === undefined) return undefined
  const length = readInto(file, 1)
  closeSync(file)
  return length === undefined ? undefined : buffer.toString('utf8', 0, length)
}

function open (path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

/** Fills `buffer` until a read gives less than `wholeUnder` bytes, and returns the length. A kernel file makes its text anew when it is read from its start. */
function readInto (file: number, wholeUnder: number): number | undefined {
  try {
    let length = 0
    while (true) {
      const got = readSync(file, buffer, length, buffer.length - length, length)
      length += got
      if (got < wholeUnder) return length
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)])
    }
  } catch {
    return undefined
  }
}
