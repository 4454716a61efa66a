import { existsSync } from 'node:fs'
import type { OsSample } from '../types.js'
import { keptFile } from './read-text.js'

/** A sector in /proc/diskstats is 512 bytes whatever the disk's own. */
const SECTOR_BYTES = 512
/** Devices of memory, or that only map onto others: their traffic is counted below them or is none. */
const NOT_A_DISK = /^(loop|ram|zram|dm-|md|fd|sr)\d/

/** Also of iostat's table, so that both sum the same devices. */
export function isDisk (name: string): boolean {
  return !NOT_A_DISK.test(name)
}

/** Sums /proc/diskstats (Documentation/admin-guide/iostats.rst) over the whole disks. Undefined when there is none. */
export function parseDiskstats (text: string, isWholeDisk: (name: string) => boolean): OsSample['disk'] {
  let disks = 0
  let reads = 0
  let readMs = 0
  let readBytes = 0
  let writtenBytes = 0
  let ioMs = 0
  for (const line of text.split('\n')) {
    // Two columns of fixed width, then one blank between the fields.
    const [name, readsDone, , sectorsRead, msReading, , , sectorsWritten, , , msInIo] = line.slice(13).split(' ', 11)
    if (name === undefined || msInIo === undefined || !isDisk(name) || !isWholeDisk(name)) continue
    disks++
    reads += Number(readsDone)
    readMs += Number(msReading)
    readBytes += Number(sectorsRead) * SECTOR_BYTES
    writtenBytes += Number(sectorsWritten) * SECTOR_BYTES
    ioMs += Number(msInIo)
  }
  return disks === 0 ? undefined : { readBytes, writtenBytes, ioMs, reads, readMs }
}

const known = new Map<string, boolean>()

/** Partitions have no folder of their own in /sys/block. */
function isWholeDisk (name: string): boolean {
  let whole = known.get(name)
  if (whole === undefined) {
    whole = existsSync(`/sys/block/${name.replaceAll('/', '!')}`)
    known.set(name, whole)
  }
  return whole
}

const file = keptFile('/proc/diskstats')

export function readDisk (): OsSample['disk'] {
  return parseDiskstats(file.read() ?? '', isWholeDisk)
}
