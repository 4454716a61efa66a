import { closeSync, openSync, readSync } from 'node:fs'

let buffer = Buffer.allocUnsafe(16_384)

/**
 * The text of a small kernel file, or undefined when there is none (or no permission, or its process is gone).
 * One open, one or two reads, one close: `readFileSync` costs several more calls on files that say they are empty.
 */
export function readText (path: string): string | undefined {
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return undefined
  }
  try {
    let length = 0
    while (true) {
      const got = readSync(file, buffer, length, buffer.length - length, null)
      if (got === 0) return buffer.toString('utf8', 0, length)
      length += got
      if (length === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)])
    }
  } catch {
    return undefined
  } finally {
    closeSync(file)
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
