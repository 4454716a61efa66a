import type { OsSample } from '../types.js'
import { nowMs } from '../clock.js'
import { findCgroup, readCgroup } from './cgroup.js'
import { readDisk } from './diskstats.js'
import { readServerGauges } from './metrics-poll.js'
import { readPressure } from './pressure.js'
import { parseProcStat, readProcess } from './proc-process.js'
import { readHost } from './proc-stat.js'
import { readText } from './read-text.js'
import { readSockets } from './sockets.js'

export interface SamplerTarget {
  readonly pid: number
  readonly serverUrl: string
  readonly apiKey: string | undefined
}

/** Samples a second, and how many samples lie between two readings of the dear sources (1 s, 2 s). */
export const SAMPLE_MS = 100
const SLOW_EVERY = 10
const POLL_EVERY = 20
const POLL_TIMEOUT_MS = SAMPLE_MS * POLL_EVERY - 100

/**
 * Takes one sample a call. What takes a process or an answer (`ss`, /metrics) is begun in one call and is in the sample of the
 * first call after it came; so such a value is up to one sample old, and each reading is in one sample only.
 */
export function createSampler ({ pid, serverUrl, apiKey }: SamplerTarget): () => OsSample {
  const port = portOf(serverUrl)
  const group = findCgroup(pid)
  let count = 0
  let sockets: number | undefined
  let gauges: Awaited<ReturnType<typeof readServerGauges>> = {}
  return () => {
    const atMs = nowMs()
    if (count % SLOW_EVERY === 0) readSockets(port).then(found => { sockets = found })
    if (count % POLL_EVERY === 0) readServerGauges(serverUrl, apiKey, POLL_TIMEOUT_MS).then(found => { gauges = found })
    const sample = {
      atMs,
      ...present('process', readProcess(pid, { withPss: count % SLOW_EVERY === 0 })),
      ...present('psi', readPressure()),
      ...present('host', readHost()),
      ...present('disk', readDisk()),
      ...present('cgroup', group === undefined ? undefined : readCgroup(group)),
      ...present('serverSockets', sockets),
      ...gauges,
      samplerCpuUsec: ownCpuUsec()
    }
    count++
    sockets = undefined
    gauges = {}
    return sample
  }
}

/** This process and the `ss` processes that it ran. */
function ownCpuUsec (): number {
  const { user, system } = process.cpuUsage()
  return user + system + (parseProcStat(readText('/proc/self/stat') ?? '')?.childrenCpuUsec ?? 0)
}

function portOf (url: string): number {
  const { port, protocol } = new URL(url)
  return port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80
}

function present<K extends string, V> (key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]?: V }
}
