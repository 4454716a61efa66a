/** Time series of one block for the stacked panels: `[seconds since the load started, value]`. */
import { loadCalls } from './data.js'
import type { Block, OsSample, Workload } from '../../types.js'
import type { Point } from './data.js'

export interface Signal {
  readonly title: string
  readonly unit: string
  /** Where it comes from: two panels that agree from two sources are worth more than one. */
  readonly source: string
  readonly points: (block: Block) => Point[]
  /** Absent: of any load. */
  readonly load?: Workload['kind']
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

/** Between the points of a rate: ticks of 10 ms would be steps at more of them, and a page of them slow. */
const RATE_EVERY_MS = 400

/** Growth of a counter per second, between samples that have it and are far enough apart; a counter that fell (restart) is a gap. */
function rate (pick: (sample: OsSample) => number | undefined, scale = 1): Signal['points'] {
  return (block) => {
    const points: Point[] = []
    let previous: { atMs: number, value: number } | undefined
    for (const sample of inLoad(block)) {
      const value = pick(sample)
      if (value === undefined || (previous !== undefined && sample.atMs < previous.atMs + RATE_EVERY_MS)) continue
      if (previous !== undefined && value >= previous.value) {
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

const TOKENS_EVERY_MS = 250

/** Chunks in each quarter of a second. */
function tokensReceived (block: Block): Point[] {
  const stamps = loadCalls(block).flatMap((call) => {
    let atMs = call.firstMs ?? NaN
    return [atMs, ...call.itlMs.map((gap) => (atMs += gap))].filter(Number.isFinite)
  })
  if (stamps.length === 0) return []
  const { loadFromMs, judgedToMs } = block.evidence
  const counts = new Array<number>(Math.max(1, Math.ceil((judgedToMs - loadFromMs) / TOKENS_EVERY_MS))).fill(0)
  for (const atMs of stamps) {
    const bin = Math.floor((atMs - loadFromMs) / TOKENS_EVERY_MS)
    if (counts[bin] !== undefined) counts[bin] += 1
  }
  return counts.map((count, bin): Point => [(bin + 0.5) * TOKENS_EVERY_MS / 1000, count * 1000 / TOKENS_EVERY_MS])
}

/** Of each call that got one, at its intended send. */
function firstTokens (block: Block): Point[] {
  return loadCalls(block).flatMap(({ intendedMs, firstMs }): Point[] => firstMs === undefined ? [] : [[secondsSinceLoad(block, intendedMs), firstMs - intendedMs]]).sort(([a], [b]) => a - b)
}

/** The longest of the gaps that end in each quarter of a second, at its end. */
function longestGaps (block: Block): Point[] {
  const longest = new Map<number, Point>()
  for (const call of loadCalls(block)) {
    let atMs = call.firstMs ?? NaN
    for (const gapMs of call.itlMs) {
      atMs += gapMs
      const bin = Math.floor((atMs - block.evidence.loadFromMs) / TOKENS_EVERY_MS)
      if (gapMs > (longest.get(bin)?.[1] ?? 0)) longest.set(bin, [secondsSinceLoad(block, atMs), gapMs])
    }
  }
  return [...longest.values()].sort(([a], [b]) => a - b)
}

/** Below this a call was not held back, it only passed. */
const HELD_FROM_MS = 5

const inGateway = depth(({ records, evidence }) => records
  .filter((record) => record.route === 'generation' && record.arrivedAtMs >= evidence.loadFromMs && record.arrivedAtMs <= evidence.drainedAtMs)
  .map((record) => ({ fromMs: record.arrivedAtMs, toMs: record.admittedAtMs ?? record.overAtMs }))
  .filter(({ fromMs, toMs }) => toMs - fromMs >= HELD_FROM_MS))

function switchesOf ({ process }: OsSample): number | undefined {
  return process?.voluntarySwitches === undefined || process.involuntarySwitches === undefined ? undefined : process.voluntarySwitches + process.involuntarySwitches
}

export const SIGNALS: readonly Signal[] = [
  { title: 'time to first token, by intended send', unit: 'ms', source: 'load generator', points: firstTokens, load: 'open-loop' },
  { title: 'calls that wait for their first token', unit: 'calls', source: 'load generator', points: waitingCalls, load: 'open-loop' },
  { title: 'tokens received', unit: 'tokens/s', source: 'load generator', points: tokensReceived, load: 'streams' },
  { title: 'longest gap between two tokens', unit: 'ms', source: 'load generator', points: longestGaps, load: 'streams' },
  { title: 'of these, held back in the gateway over 5 ms', unit: 'calls', source: 'gateway records', points: inGateway, load: 'open-loop' },
  { title: 'deferred in llama-server', unit: 'calls', source: 'its own gauge', points: gauge((sample) => sample.requestsDeferred), load: 'open-loop' },
  { title: 'connections to llama-server', unit: 'sockets', source: 'ss', points: gauge((sample) => sample.serverSockets), load: 'open-loop' },
  { title: 'CPUs used by llama-server', unit: 'CPUs', source: '/proc/PID', points: rate((sample) => sample.process?.cpuUsec, 1e-6) },
  { title: 'context switches of llama-server', unit: '1/s', source: '/proc/PID/task', points: rate(switchesOf) },
  { title: 'threads of llama-server in the run queue', unit: 'threads', source: 'schedstat', points: rate((sample) => sample.process?.runQueueWaitNs, 1e-9) },
  { title: 'some task waited for a CPU (PSI)', unit: '% of time', source: '/proc/pressure/cpu', points: rate((sample) => sample.psi?.cpuSomeUsec, 1e-4) },
  { title: 'read from disk by llama-server', unit: 'MB/s', source: '/proc/PID/io', points: rate((sample) => sample.process?.readBytes, 1e-6) },
  { title: 'major page faults of llama-server', unit: '1/s', source: '/proc/PID/stat', points: rate((sample) => sample.process?.majorFaults) },
  { title: 'throttled, summed over CPUs', unit: 'ms/s', source: 'cgroup cpu.stat', points: rate((sample) => sample.cgroup?.['cpu.stat.throttled_usec'], 1e-3), load: 'streams' },
  { title: 'tasks that could run and none did (PSI full)', unit: '% of time', source: 'cgroup cpu.pressure', points: rate((sample) => sample.cgroup?.['cpu.pressure.full_usec'], 1e-4), load: 'streams' },
  { title: 'memory of the group', unit: 'MB', source: 'cgroup memory.current', points: gauge((sample) => megabytes(sample.cgroup?.['memory.current'])), load: 'streams' },
  { title: 'file pages read again', unit: 'pages/s', source: 'cgroup memory.stat', points: rate((sample) => sample.cgroup?.['memory.stat.workingset_refault_file']), load: 'streams' }
]

function megabytes (bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1e6
}
