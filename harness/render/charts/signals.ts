/** Time series of one block for the stacked panels: `[seconds since the load started, value]`. */
import { loadCalls } from './data.js'
import type { Block, OsSample } from '../../types.js'
import type { Point } from './data.js'

export interface Signal {
  readonly title: string
  readonly unit: string
  /** Where it comes from: two panels that agree from two sources are worth more than one. */
  readonly source: string
  readonly points: (block: Block) => Point[]
}

function secondsSinceLoad ({ evidence }: Block, atMs: number): number {
  return (atMs - evidence.loadFromMs) / 1000
}

function inLoad ({ evidence, samples }: Block): OsSample[] {
  return samples.filter((sample) => sample.atMs >= evidence.loadFromMs && sample.atMs <= evidence.drainedAtMs).sort((a, b) => a.atMs - b.atMs)
}

/** A gauge as it was read. */
function gauge (pick: (sample: OsSample) => number | undefined): Signal['points'] {
  return (block) => inLoad(block).flatMap((sample): Point[] => {
    const value = pick(sample)
    return value === undefined ? [] : [[secondsSinceLoad(block, sample.atMs), value]]
  })
}

/** Growth of a counter per second, between neighbouring samples that have it; a counter that fell (restart) is a gap. */
function rate (pick: (sample: OsSample) => number | undefined, scale = 1): Signal['points'] {
  return (block) => {
    const points: Point[] = []
    let previous: { atMs: number, value: number } | undefined
    for (const sample of inLoad(block)) {
      const value = pick(sample)
      if (value === undefined) continue
      if (previous !== undefined && value >= previous.value && sample.atMs > previous.atMs) {
        points.push([secondsSinceLoad(block, sample.atMs), (value - previous.value) / (sample.atMs - previous.atMs) * 1000 * scale])
      }
      previous = { atMs: sample.atMs, value }
    }
    return points
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** How many spans are open, at each change. */
function depth (spans: (block: Block) => readonly Span[]): Signal['points'] {
  return (block) => {
    const open = spans(block)
    if (open.length === 0) return []
    const changes = open.flatMap(({ fromMs, toMs }) => [{ atMs: fromMs, by: 1 }, { atMs: toMs, by: -1 }]).sort((a, b) => a.atMs - b.atMs || a.by - b.by)
    const points: Point[] = []
    let level = 0
    for (const { atMs, by } of changes) {
      level += by
      points.push([secondsSinceLoad(block, atMs), level])
    }
    return points
  }
}

const waitingCalls = depth((block) => loadCalls(block).map((call) => ({ fromMs: call.intendedMs, toMs: call.firstMs ?? call.doneMs })))

/** Below this a call was not held back, it only passed. */
const HELD_FROM_MS = 5

const inGateway = depth(({ records, evidence }) => records
  .filter((record) => record.route === 'generation' && record.arrivedAtMs >= evidence.loadFromMs && record.arrivedAtMs <= evidence.drainedAtMs)
  .map((record) => ({ fromMs: record.arrivedAtMs, toMs: record.admittedAtMs ?? record.overAtMs }))
  .filter(({ fromMs, toMs }) => toMs - fromMs >= HELD_FROM_MS))

export const SIGNALS: readonly Signal[] = [
  { title: 'calls that wait for their first token', unit: 'calls', source: 'load generator', points: waitingCalls },
  { title: 'of these, held back in the gateway over 5 ms', unit: 'calls', source: 'gateway records', points: inGateway },
  { title: 'deferred in llama-server', unit: 'calls', source: 'its own gauge', points: gauge((sample) => sample.requestsDeferred) },
  { title: 'connections to llama-server', unit: 'sockets', source: 'ss', points: gauge((sample) => sample.serverSockets) },
  { title: 'CPUs used by llama-server', unit: 'CPUs', source: '/proc/PID', points: rate((sample) => sample.process?.cpuUsec, 1e-6) },
  { title: 'context switches of llama-server', unit: '1/s', source: '/proc/PID/task', points: rate((sample) => sample.process === undefined ? undefined : sample.process.voluntarySwitches + sample.process.involuntarySwitches) },
  { title: 'threads of llama-server in the run queue', unit: 'threads', source: 'schedstat', points: rate((sample) => sample.process?.runQueueWaitNs, 1e-9) },
  { title: 'some task waited for a CPU (PSI)', unit: '% of time', source: '/proc/pressure/cpu', points: rate((sample) => sample.psi?.cpuSomeUsec, 1e-4) },
  { title: 'read from disk by llama-server', unit: 'MB/s', source: '/proc/PID/io', points: rate((sample) => sample.process?.readBytes, 1e-6) },
  { title: 'major page faults of llama-server', unit: '1/s', source: '/proc/PID/stat', points: rate((sample) => sample.process?.majorFaults) }
]
