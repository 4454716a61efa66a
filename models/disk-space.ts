import { statfs } from 'node:fs/promises'
import { megabytes } from './units.js'

/** Left free beside the file that is to be written. */
const RESERVE_BYTES = 64 * 1024 * 1024

/** Throws when `folder` (which must exist) cannot take `bytes` more. */
export async function needDiskSpace (folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  if (freeBytes >= bytes + RESERVE_BYTES) return
  throw new Error(`${folder}: ${megabytes(freeBytes)} free, ${megabytes(bytes)} needed and ${megabytes(RESERVE_BYTES)} in reserve; ` +
    'free some space or set WEIR_CACHE to a folder on another disk')
}
