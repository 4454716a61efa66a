import { nowMs } from '../clock.js'
import type { OsSample } from '../types.js'
import { findCgroup, readCgroup } from './cgroup.js'
import { readDisk } from './diskstats.js'
import { readServerGauges } from './metrics-poll.js'
import { readPressure } from './pressure.js'
import { parseProcStat, readProcess } from './proc-process.js'
import { readHost } from './proc-stat.js'
import { readText } from './read-text.js'
import { startSocketCounter } from './sockets.js'

export interface SamplerTarget {
  readonly pid: number
  readonly serverUrl: string
  readonly apiKey: string | undefined
}

export interface Sampler {
  sample (): OsSample
  close (): void
}

/** Time between samples. Pressure and the machine's CPU times are in each; the dearer sources in every n-th, each at its own turn. */
export const SAMPLE_MS = 100
/** The process (two files a thread), its group and the disks: every 0.5 s. */
const FILES_EVERY = 5
/** Walks all page tables: every 2 s. */
const PSS_EVERY = 20
/** Runs `ss`: every 2 s. */
const SOCKETS = { every: 20, turn: 7 }
/** Every 2 s, as `readServerGauges` wants. */
const GAUGES = { every: 20, turn: 13 }
const GAUGES_TIMEOUT_MS = 1900

/**
 * Has `process`, `disk` and `cgroup` in the first sample and every fifth. What takes another process or an answer (`ss`, /metrics) is begun in one sample
 * and is in the first one after it came; so such a value is up to one sample old, and each reading is in one sample only.
 */
export function createSampler ({ pid, serverUrl, apiKey }: SamplerTarget): Sampler {
  const counter = startSocketCounter(portOf(serverUrl))
  const group = findCgroup(pid)
  let count = 0
  let sockets: number | undefined
  let gauges: Awaited<ReturnType<typeof readServerGauges>> = {}
  function readFiles (): Pick<OsSample, 'process' | 'disk' | 'cgroup'> {
    return {
      ...present('process', readProcess(pid, { withPss: count % PSS_EVERY === 0 })),
      ...present('disk', readDisk()),
      ...present('cgroup', group === undefined ? undefined : readCgroup(group))
    }
  }
  return {
    close: counter.close,
    sample () {
      const atMs = nowMs()
      if (count % SOCKETS.every === SOCKETS.turn) counter.read().then(found => { sockets = found })
      if (count % GAUGES.every === GAUGES.turn) readServerGauges(serverUrl, apiKey, GAUGES_TIMEOUT_MS).then(found => { gauges = found })
      const sample = {
        atMs,
        ...present('psi', readPressure()),
        ...present('host', readHost()),
        ...(count % FILES_EVERY === 0 ? readFiles() : {}),
        ...present('serverSockets', sockets),
        ...gauges,
        samplerCpuUsec: ownCpuUsec(counter.pid)
      }
      count++
      sockets = undefined
      gauges = {}
      return sample
    }
  }
}

/** This process, and the shell with the `ss` processes that it ran. */
function ownCpuUsec (shellPid: number | undefined): number {
  const { user, system } = process.cpuUsage()
  const shell = shellPid === undefined ? undefined : parseProcStat(readText(`/proc/${shellPid}/stat`) ?? '')
  return user + system + (shell === undefined ? 0 : shell.cpuUsec + shell.childrenCpuUsec)
}

function portOf (url: string): number {
  const { port, protocol } = new URL(url)
  return port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80
}

function present<K extends string, V> (key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V }
}
