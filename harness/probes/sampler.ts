import { nowMs } from '../clock.js'
import type { OsSample } from '../types.js'
import { findCgroup } from './cgroup.js'
import { watchDisks } from './diskstats.js'
import { readServerGauges } from './metrics-poll.js'
import { watchPressure } from './pressure.js'
import { parseProcStat } from './proc-process.js'
import { watchHost } from './proc-stat.js'
import { keptFile } from './read-text.js'
import { startSocketCounter, type SocketCounts } from './sockets.js'
import { createTurns, type TurnsOptions } from './turns.js'
import { watchVmstat } from './vmstat.js'
import { watchCgroup } from './watch-cgroup.js'
import { watchProcess } from './watch-process.js'

export interface SamplerTarget {
  readonly pid: number
  readonly serverUrl: string
  readonly apiKey: string | undefined
}

export interface Sampler {
  /** @param last nothing is read after it: each source is read in it, due or not, so that what was counted until now lies between two readings */
  sample (options?: { readonly last: boolean }): OsSample
  close (): void
}

type Sample = { -readonly [K in keyof OsSample]: OsSample[K] }

/** Between samples: what all of our own work takes of one CPU decides, from ten a second to two. `ss` is another process and has a share of its own. */
export const SAMPLES: TurnsOptions = { share: 0.006, atLeastMs: 100, atMostMs: 500 }

/**
 * What reading each source may take of one CPU, and the bounds within which that decides how often it is read: in each sample where files are cheap, every second
 * where they are dear (an emulated CPU, a server of many threads).
 */
const TURNS = {
  process: { share: 0.0012, atLeastMs: SAMPLES.atLeastMs, atMostMs: 500 },
  threads: { share: 0.0012, atLeastMs: SAMPLES.atLeastMs, atMostMs: 1000 },
  group: { share: 0.0012, atLeastMs: SAMPLES.atLeastMs, atMostMs: 1000 },
  host: { share: 0.0006, atLeastMs: SAMPLES.atLeastMs, atMostMs: 500 },
  psi: { share: 0.0005, atLeastMs: SAMPLES.atLeastMs, atMostMs: 1000 },
  disk: { share: 0.0005, atLeastMs: SAMPLES.atLeastMs, atMostMs: 1000 },
  vm: { share: 0.0003, atLeastMs: SAMPLES.atLeastMs, atMostMs: 1000 },
  /** Walks all page tables, about 8 µs a resident megabyte. */
  pss: { share: 0.001, atLeastMs: 1000, atMostMs: 25_000 }
} as const satisfies Record<string, TurnsOptions>
/** Limits of the group, in every so many of its readings. */
const LIMITS_EVERY = 10
/** Runs `ss`; no judged window is shorter than 4 s. */
const SOCKETS: TurnsOptions = { share: 0.002, atLeastMs: 2000, atMostMs: 3000 }
/** `readServerGauges` wants it no faster than every 2 s. */
const GAUGES_EVERY_MS = 3000
const GAUGES_TIMEOUT_MS = 1900

/**
 * What takes another process or an answer (`ss`, /metrics) is begun in one sample and is in the first one after it came; so such a value is up to one
 * sample old, and each reading is in one sample only.
 */
export function createSampler ({ pid, serverUrl, apiKey }: SamplerTarget): Sampler {
  const watched = watchProcess(pid)
  const groupFolder = findCgroup(pid)
  const group = groupFolder === undefined ? undefined : watchCgroup(groupFolder)
  const [readHost, readPressure, readDisk, readVm] = [watchHost(), watchPressure(), watchDisks(), watchVmstat()]
  const counter = startSocketCounter(portOf(serverUrl))
  const shell = counter.pid === undefined ? undefined : keptFile(`/proc/${counter.pid}/stat`)
  const socketTurns = createTurns(SOCKETS)
  let gaugesDueMs = 0
  let groupReadings = 0
  let shellCpuUsec = 0
  let counts = 0
  let sockets: SocketCounts | undefined
  let gauges: Awaited<ReturnType<typeof readServerGauges>> = {}
  const turns = {
    process: createTurns(TURNS.process),
    threads: createTurns(TURNS.threads),
    group: createTurns(TURNS.group),
    host: createTurns(TURNS.host),
    psi: createTurns(TURNS.psi),
    disk: createTurns(TURNS.disk),
    vm: createTurns(TURNS.vm),
    pss: createTurns(TURNS.pss)
  }

  function readAll (sample: Sample, last: boolean): void {
    const { atMs } = sample
    const inTurn = (source: keyof typeof TURNS, read: () => void): void => {
      if (!last && !turns[source].due(atMs)) return
      const before = ownCpuUsec()
      read()
      turns[source].took(atMs, ownCpuUsec() - before)
    }
    inTurn('threads', () => { put(sample, 'process', watched.read({ withThreads: true })) })
    if (sample.process === undefined) inTurn('process', () => { put(sample, 'process', watched.read({ withThreads: false })) })
    inTurn('group', () => { put(sample, 'cgroup', group?.read({ withLimits: groupReadings++ % LIMITS_EVERY === 0 })) })
    inTurn('host', () => { put(sample, 'host', readHost()) })
    inTurn('psi', () => { put(sample, 'psi', readPressure()) })
    inTurn('disk', () => { put(sample, 'disk', readDisk()) })
    inTurn('vm', () => { put(sample, 'vm', readVm()) })
    const { process } = sample
    if (process === undefined) return
    inTurn('pss', () => {
      const pssBytes = watched.readPssBytes()
      if (pssBytes !== undefined) sample.process = { ...process, pssBytes }
    })
  }

  function countSockets (atMs: number): void {
    socketTurns.took(atMs, Infinity)
    counter.read().then(found => {
      sockets = found
      // The shell, and the `ss` that it ran.
      const stat = parseProcStat(shell?.read() ?? '')
      if (stat === undefined) return
      const cpuUsec = stat.cpuUsec + stat.childrenCpuUsec
      // Clock ticks of 10 ms: all runs so far, not the last one.
      counts++
      socketTurns.took(atMs, cpuUsec / counts)
      shellCpuUsec = cpuUsec
    })
  }

  return {
    close: counter.close,
    sample ({ last } = { last: false }) {
      const atMs = nowMs()
      if (socketTurns.due(atMs)) countSockets(atMs)
      if (atMs >= gaugesDueMs) {
        gaugesDueMs = atMs + GAUGES_EVERY_MS
        readServerGauges(serverUrl, apiKey, GAUGES_TIMEOUT_MS).then(found => { gauges = found })
      }
      const sample: Sample = { atMs, samplerCpuUsec: ownCpuUsec() + shellCpuUsec, ...gauges }
      readAll(sample, last)
      put(sample, 'serverSockets', sockets?.established)
      put(sample, 'serverSocketsCloseWait', sockets?.closeWait)
      sockets = undefined
      gauges = {}
      return sample
    }
  }
}

function put<K extends keyof Sample> (sample: Sample, key: K, value: Sample[K] | undefined): void {
  if (value !== undefined) sample[key] = value
}

/** Of this process. */
export function ownCpuUsec (): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function portOf (url: string): number {
  const { port, protocol } = new URL(url)
  return port !== '' ? Number(port) : protocol === 'https:' ? 443 : 80
}
