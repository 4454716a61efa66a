import { realpathSync, writeFileSync } from 'node:fs'
import { readText } from '../probes/read-text.js'
import type { CalibratedServer } from '../types.js'

type Touched = NonNullable<CalibratedServer['touched']>

/** From now on `Referenced` in the process's smaps counts anew (proc(5), clear_refs). False: the kernel has no such file, or keeps it from us. */
export function clearReferenced (pid: number): boolean {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '1')
    return true
  } catch {
    return false
  }
}

export function touchedSince (pid: number, modelPath: string): Touched | undefined {
  const text = readText(`/proc/${pid}/smaps`)
  return text === undefined ? undefined : parseTouched(text, realpathSync(modelPath))
}

/** A mapping begins with `ADDRESSES PERMISSIONS OFFSET DEVICE INODE PATH`, its figures follow in kB. */
export function parseTouched (smaps: string, modelPath: string): Touched {
  let [modelBytes, otherFilesBytes, path] = [0, 0, '']
  for (const line of smaps.split('\n')) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/.exec(line)
    if (mapping !== null) path = mapping[1] ?? ''
    const kilobytes = /^Referenced: +(\d+) kB$/.exec(line)?.[1]
    if (kilobytes === undefined || !path.startsWith('/')) continue
    if (path === modelPath) modelBytes += Number(kilobytes) * 1024
    else otherFilesBytes += Number(kilobytes) * 1024
  }
  return { modelBytes, otherFilesBytes }
}
