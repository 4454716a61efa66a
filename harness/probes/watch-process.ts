import type { OsSample } from '../types.js'
import { parseMemory, parseProcStat, parsePssBytes, parseReadBytes } from './proc-process.js'
import { keptFile } from './read-text.js'
import { watchThreads } from './watch-threads.js'

export interface ProcessWatch {
  /** Undefined when the process is gone. */
  read (): OsSample['process']
  /** Walks all page tables (about 8 µs a resident megabyte): 1 Hz at most. Undefined without CONFIG_PROC_PAGE_MONITOR. */
  readPssBytes (): number | undefined
}

/** A process over all its threads. Its files stay open for the life of our own process. */
export function watchProcess (pid: number): ProcessWatch {
  const folder = `/proc/${pid}`
  const [stat, status, io, smaps] = [keptFile(`${folder}/stat`), keptFile(`${folder}/status`), keptFile(`${folder}/io`), keptFile(`${folder}/smaps_rollup`)]
  const threads = watchThreads(`${folder}/task`)
  return {
    read () {
      const counts = parseProcStat(stat.read() ?? '')
      const memory = parseMemory(status.read() ?? '')
      if (counts === undefined || memory === undefined) return undefined
      const { minorFaults, majorFaults, cpuUsec } = counts
      const found = { ...memory, minorFaults, majorFaults, cpuUsec, threads: counts.threads, ...threads.read(counts.threads) }
      const readBytes = parseReadBytes(io.read() ?? '')
      return readBytes === undefined ? found : { ...found, readBytes }
    },
    readPssBytes: () => parsePssBytes(smaps.read() ?? '')
  }
}
