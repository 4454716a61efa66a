import { nowMs } from '../clock.js'
import type { OsSample } from '../types.js'
import { findCgroup } from './cgroup.js'
import { readDisk } from './diskstats.js'
import { readServerGauges } from './metrics-poll.js'
import { readPressure } from './pressure.js'
import { parseProcStat } from './proc-process.js'
import { readHost } from './proc-stat.js'
import { keptFile } from './read-text.js'
import { startSocketCounter } from './sockets.js'
import { readVmstat } from './vmstat.js'
import { watchCgroup } from './watch-cgroup.js'
import { watchProcess } from './watch-process.js'

export interface SamplerTarget {
  readonly pid: number
  readonly serverUrl: string
  readonly apiKey: string | undefined
}

export interface Sampler {
  sample (): OsSample
  close (): void
}

type Sample = { -readonly [K in keyof OsSample]: OsSample[K] }

/** Between samples. The process, its group and the machine's CPU times are in each; the other sources in every n-th. */
export const SAMPLE_MS = 100
/** Pressure, disks, swap and refaults of the whole machine: every 0.5 s. */
const MACHINE_EVERY = 5
/** Limits of the group: every second. */
const LIMITS_EVERY = 10
/** A second at least, and so long that walking the page tables takes no more than this share of a CPU. */
const PSS = { everyMs: 1000, share: 0.002 }
/** Runs `ss`: every 5 s. */
const SOCKETS = { every: 50, turn: 7 }
/** Every 5 s: `readServerGauges` wants it no faster than every 2 s, and an answer costs as much as ten samples. */
const GAUGES = { every: 50, turn: 7 }
const GAUGES_TIMEOUT_MS = 1900

/** Time from one PSS to the next, by what the last one took. */
export function pssPauseMs (tookUsec: number): number {
  return Math.max(PSS.everyMs, tookUsec / 1000 / PSS.share)
}

/**
 * What takes another process or an answer (`ss`, /metrics) is begun in one sample and is in the first one after it came; so such a value is up to one
 * sample old, and each reading is in one sample only.
 */
export function createSampler ({ pid, serverUrl, apiKey }: SamplerTarget): Sampler {
  const watched = watchProcess(pid)
  const groupFolder = findCgroup(pid)
  const group = groupFolder === undefined ? undefined : watchCgroup(groupFolder)
  const counter = startSocketCounter(portOf(serverUrl))
  const shell = counter.pid === undefined ? undefined : keptFile(`/proc/${counter.pid}/stat`)
  let count = 0
  let pssAtMs = 0
  let shellCpuUsec = 0
  let sockets: number | undefined
  let gauges: Awaited<ReturnType<typeof readServerGauges>> = {}

  function countSockets (): void {
    counter.read().then(found => {
      sockets = found
      // The shell, and the `ss` that it ran.
      const stat = parseProcStat(shell?.read() ?? '')
      if (stat !== undefined) shellCpuUsec = stat.cpuUsec + stat.childrenCpuUsec
    })
  }

  function readProcess (atMs: number): OsSample['process'] {
    const read = watched.read()
    if (read === undefined || atMs < pssAtMs) return read
    const before = process.cpuUsage()
    const pssBytes = watched.readPssBytes()
    const { user, system } = process.cpuUsage(before)
    pssAtMs = atMs + pssPauseMs(user + system)
    return pssBytes === undefined ? read : { ...read, pssBytes }
  }

  function readMachine (sample: Sample): void {
    const [psi, disk, vm] = [readPressure(), readDisk(), readVmstat()]
    if (psi !== undefined) sample.psi = psi
    if (disk !== undefined) sample.disk = disk
    if (vm !== undefined) sample.vm = vm
  }

  return {
    close: counter.close,
    sample () {
      if (count % SOCKETS.every === SOCKETS.turn) countSockets()
      if (count % GAUGES.every === GAUGES.turn) readServerGauges(serverUrl, apiKey, GAUGES_TIMEOUT_MS).then(found => { gauges = found })
      const { user, system } = process.cpuUsage()
      const sample: Sample = { atMs: nowMs(), samplerCpuUsec: user + system + shellCpuUsec, ...gauges }
      const found = readProcess(sample.atMs)
      if (found !== undefined) sample.process = found
      const counters = group?.read({ withLimits: count % LIMITS_EVERY === 0 })
      if (counters !== undefined) sample.cgroup = counters
      const host = readHost()
      if (host !== undefined) sample.host = host
      if (count % MACHINE_EVERY === 0) readMachine(sample)
      if (sockets !== undefined) sample.serverSockets = sockets
      count++
      sockets = undefined
      gauges = {}
      return sample
    }
  }
}

function portOf (url: string): number {
  const { port, protocol } = new URL(url)
  return port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80
}
