import type { OsSample } from '../types.js'
import { numberAfter } from './keyed.js'
import { keptFile } from './read-text.js'

/** /proc/vmstat: pages that went to and came from swap, and what reclaim had to read again, whole machine (the first line is none of them). Undefined without the file. */
export function parseVmstat (text: string): OsSample['vm'] {
  const swapInPages = numberAfter(text, '\npswpin ')
  const swapOutPages = numberAfter(text, '\npswpout ')
  const majorFaults = numberAfter(text, '\npgmajfault ')
  // Before Linux 5.9 one counter for files and anonymous memory, which is another figure.
  const refaultFilePages = numberAfter(text, '\nworkingset_refault_file ')
  if (majorFaults === undefined) return undefined
  // A kernel without swap has no lines of it: nothing was swapped.
  return { swapInPages: swapInPages ?? 0, swapOutPages: swapOutPages ?? 0, majorFaults, ...(refaultFilePages === undefined ? {} : { refaultFilePages }) }
}

export function watchVmstat (): () => OsSample['vm'] {
  const file = keptFile('/proc/vmstat')
  return () => parseVmstat(file.read() ?? '')
}
