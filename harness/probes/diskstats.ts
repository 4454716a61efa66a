import { readdirSync } from 'node:fs'
import type { OsSample } from '../types.js'
import { numbersAt } from './keyed.js'
import { keptFile, readText } from './read-text.js'

/** A sector in /proc/diskstats is 512 bytes whatever the disk's own. */
const SECTOR_BYTES = 512
/** Devices of memory, or that only map onto others: their traffic is counted below them or is none. */
const NOT_A_DISK = /^(loop|ram|zram|dm-|md|fd|sr)\d/

/** Also of iostat's table, so that both sum the same devices. */
export function isDisk (name: string): boolean {
  return !NOT_A_DISK.test(name)
}

/** Sums /proc/diskstats (Documentation/admin-guide/iostats.rst) over these disks. Undefined when it has none of them. */
export function parseDiskstats (text: string, disks: readonly string[]): OsSample['disk'] {
  const sums = { readBytes: 0, writtenBytes: 0, ioMs: 0, reads: 0, readMs: 0 }
  let found = false
  for (const name of disks) {
    const label = ` ${name} `
    const at = text.indexOf(label)
    if (at === -1) continue
    found = true
    const [reads = 0, , sectorsRead = 0, readMs = 0, , , sectorsWritten = 0, , , ioMs = 0] = numbersAt(text, at + label.length, 10)
    sums.reads += reads
    sums.readMs += readMs
    sums.readBytes += sectorsRead * SECTOR_BYTES
    sums.writtenBytes += sectorsWritten * SECTOR_BYTES
    sums.ioMs += ioMs
  }
  return found ? sums : undefined
}

/** Whole disks: partitions have no folder of their own in /sys/block, where `!` stands for the `/` of a name. */
export function wholeDisks (folder = '/sys/block'): string[] {
  try {
    return readdirSync(folder).map(name => name.replaceAll('!', '/')).filter(isDisk)
  } catch {
    return []
  }
}

/** A reader of the disks that there are now. */
export function watchDisks (): () => OsSample['disk'] {
  const [disks, file] = [wholeDisks(), keptFile('/proc/diskstats')]
  return () => parseDiskstats(file.read() ?? '', disks)
}

/** One reading of them. */
export function disksNow (): OsSample['disk'] {
  return parseDiskstats(readText('/proc/diskstats') ?? '', wholeDisks())
}
