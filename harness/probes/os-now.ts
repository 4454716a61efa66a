import type { OsSample } from '../types.js'
import { disksNow } from './diskstats.js'
import { watchProcess } from './watch-process.js'

/** One reading of a process, over all its threads, and of all disks. Its process is absent when it is gone. */
export function osNow (pid: number): Pick<OsSample, 'process' | 'disk'> {
  const watched = watchProcess(pid)
  const process = watched.read({ withThreads: true })
  watched.close()
  const disk = disksNow()
  return { ...(process === undefined ? {} : { process }), ...(disk === undefined ? {} : { disk }) }
}
