import { closeSync, openSync, readSync } from 'node:fs'

let buffer = Buffer.allocUnsafe(16_384)
const kept = new Map<string, number>()

/**
 * The text of a small kernel file, or undefined when there is none (or no permission, or its process is gone).
 * `readFileSync` costs several more calls on files that say they are empty.
 */
export function readText (path: string): string | undefined {
  const file = open(path)
  if (file === undefined) return undefined
  const text = readFrom(file)
  closeSync(file)
  return text
}

/** As `readText`, for the few files that are read again and again: they stay open for the life of this process. */
export function readKept (path: string): string | undefined {
  const file = kept.get(path) ?? open(path)
  if (file === undefined) return undefined
  kept.set(path, file)
  return readFrom(file)
}

function open (path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

/** A kernel file makes its text anew when it is read from its start. */
function readFrom (file: number): string | undefined {
  try {
    let length = 0
    while (true) {
      const got = readSync(file, buffer, length, buffer.length - length, length)
      if (got === 0) return buffer.toString('utf8', 0, length)
      length += got
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)])
    }
  } catch {
    return undefined
  }
}

/** `name value` lines, with or without a colon, as numbers; lines whose value is not a number are left out. */
export function parseKeyed (text: string): Map<string, number> {
  const values = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [name = '', value = ''] = line.trim().split(/:?\s+/, 2)
    if (name !== '' && /^-?\d+$/.test(value)) values.set(name, Number(value))
  }
  return values
}
