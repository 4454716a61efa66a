import type { OsSample } from '../types.js'
import { numberAfter } from './keyed.js'
import { keptFile } from './read-text.js'

/** /proc/vmstat: pages that went to and came from swap, and what reclaim had to read again, whole machine. Undefined without the file. */
export function parseVmstat (text: string): OsSample['vm'] {
  const lines = `\n${text}`
  const swapInPages = numberAfter(lines, '\npswpin ')
  const swapOutPages = numberAfter(lines, '\npswpout ')
  const majorFaults = numberAfter(lines, '\npgmajfault ')
  // Before Linux 5.9 one counter for files and anonymous memory, which is another figure.
  const refaultFilePages = numberAfter(lines, '\nworkingset_refault_file ')
  if (majorFaults === undefined) return undefined
  // A kernel without swap has no lines of it: nothing was swapped.
  return { swapInPages: swapInPages ?? 0, swapOutPages: swapOutPages ?? 0, majorFaults, ...(refaultFilePages === undefined ? {} : { refaultFilePages }) }
}

const file = keptFile('/proc/vmstat')

export function readVmstat (): OsSample['vm'] {
  return parseVmstat(file.read() ?? '')
}
