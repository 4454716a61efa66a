import type { OsSample } from '../types.js'
import { parseMemory, parseProcStat, parsePssBytes, parseReadBytes } from './proc-process.js'
import { keptFile } from './read-text.js'
import { watchThreads } from './watch-threads.js'

export interface ProcessWatch {
  /** Undefined when the process is gone. What is counted per thread (two files each) only when asked. */
  read (how: { readonly withThreads: boolean }): OsSample['process']
  /** Walks all page tables (about 8 µs a resident megabyte): 1 Hz at most. Undefined without CONFIG_PROC_PAGE_MONITOR. */
  readPssBytes (): number | undefined
  close (): void
}

type Found = { -readonly [K in keyof NonNullable<OsSample['process']>]: NonNullable<OsSample['process']>[K] }

/** A process over all its threads. Its files stay open until it is closed. */
export function watchProcess (pid: number): ProcessWatch {
  const folder = `/proc/${pid}`
  const [stat, status, io, smaps] = [keptFile(`${folder}/stat`), keptFile(`${folder}/status`), keptFile(`${folder}/io`), keptFile(`${folder}/smaps_rollup`)]
  const threads = watchThreads(`${folder}/task`)
  return {
    read ({ withThreads }) {
      const counts = parseProcStat(stat.read() ?? '')
      const memory = parseMemory(status.read() ?? '')
      if (counts === undefined || memory === undefined) return undefined
      const { minorFaults, majorFaults, cpuUsec } = counts
      const found: Found = Object.assign(memory, { minorFaults, majorFaults, cpuUsec, threads: counts.threads })
      const readBytes = parseReadBytes(io.read() ?? '')
      if (readBytes !== undefined) found.readBytes = readBytes
      return withThreads ? Object.assign(found, threads.read(counts.threads)) : found
    },
    readPssBytes: () => parsePssBytes(smaps.read() ?? ''),
    close () {
      for (const file of [stat, status, io, smaps]) file.close()
      threads.close()
    }
  }
}
