import type { Block, OsSample } from '../../types.js'

/** What the operating system did to llama-server while something lasted. */
export interface OsInside {
  /** cgroup cpu.stat: summed over CPUs. */
  readonly throttledMs?: number
  /** PSI `full` of llama-server's own group: tasks could run and none did. */
  readonly cpuFullMs?: number
  /** PSI `full`, of its group where it has one, else of the machine. */
  readonly memoryFullMs?: number
  readonly ioFullMs?: number
  /** Of all its threads together. */
  readonly runQueueWaitMs?: number
  readonly majorFaults?: number
  readonly refaultedPages?: number
}

export type OsCounter = keyof OsInside

export const osCounters: readonly OsCounter[] = ['throttledMs', 'cpuFullMs', 'memoryFullMs', 'ioFullMs', 'runQueueWaitMs', 'majorFaults', 'refaultedPages']

interface Reading { readonly atMs: number, readonly value: number }
type Source = Pick<OsSample, 'process' | 'cgroup' | 'psi'>

/** Counters of a block over time, each as often as it was read. */
export interface OsTracks {
  /**
   * Growth in [fromMs, toMs], linear between two readings; what no reading covers counts as nothing. Absent where the readings next to its ends are farther from them than a
   * quarter of its length: growth from before and after it could not be told from its own.
   */
  inside (fromMs: number, toMs: number): OsInside
  /** Read at all: where something is absent it was read too seldom. */
  has (counter: OsCounter): boolean
}

/** Of its length. */
const nearestReading = 0.25

/**
 * A group that llama-server shares with others says nothing of it: counters of groups count only where it had its own. Samples see groups of version 2; those of version 1
 * are read before and after the load.
 */
const PICKS: Readonly<Record<OsCounter, (sample: Source, ownGroup: boolean) => number | undefined>> = {
  throttledMs: (sample, own) => inMs(group(sample, own, 'cpu.stat.throttled_usec')),
  cpuFullMs: (sample, own) => inMs(group(sample, own, 'cpu.pressure.full_usec')),
  memoryFullMs: (sample, own) => inMs(own ? group(sample, own, 'memory.pressure.full_usec') : sample.psi?.memoryFullUsec),
  ioFullMs: (sample, own) => inMs(own ? group(sample, own, 'io.pressure.full_usec') : sample.psi?.ioFullUsec),
  runQueueWaitMs: ({ process }) => process?.runQueueWaitNs === undefined ? undefined : process.runQueueWaitNs / 1e6,
  majorFaults: ({ process }) => process?.majorFaults,
  refaultedPages: (sample, own) => group(sample, own, 'memory.stat.workingset_refault_file')
}

function group ({ cgroup }: Source, own: boolean, name: string): number | undefined {
  return own ? cgroup?.[name] : undefined
}

function inMs (usec: number | undefined): number | undefined {
  return usec === undefined ? undefined : usec / 1000
}

/** Of the samples, and of what was read just before the load and after its end. */
export function osTracks ({ evidence, samples }: Pick<Block, 'evidence' | 'samples'>): OsTracks {
  const version = evidence.group?.version
  const all = [
    ...samples.map(sample => ({ sample: sample as Source, atMs: sample.atMs, own: version === 'v2' })),
    { sample: ends(evidence.osAtStart, evidence.groupCountersAtStart), atMs: evidence.loadFromMs, own: version !== undefined },
    { sample: ends(evidence.osAtEnd, evidence.groupCountersAtEnd), atMs: evidence.drainedAtMs, own: version !== undefined }
  ].sort((a, b) => a.atMs - b.atMs)
  const tracks = new Map(osCounters.map(counter => [counter, rising(all.flatMap(({ sample, atMs, own }) => {
    const value = PICKS[counter](sample, own)
    return value === undefined ? [] : [{ atMs, value }]
  }))]))
  return {
    inside: (fromMs, toMs) => Object.fromEntries(osCounters.flatMap(counter => {
      const grown = growth(tracks.get(counter) ?? [], fromMs, toMs)
      return grown === undefined ? [] : [[counter, grown]]
    })),
    has: counter => (tracks.get(counter) ?? []).length > 1
  }
}

function ends (os: Block['evidence']['osAtStart'], cgroup: Readonly<Record<string, number>> | undefined): Source {
  return { ...(os?.process === undefined ? {} : { process: os.process }), ...(cgroup === undefined ? {} : { cgroup }) }
}

/** Cumulative counters never fall; a reading that is below one before it (two clocks, a rounded tick) adds nothing. */
function rising (readings: readonly Reading[]): Reading[] {
  const kept: Reading[] = []
  for (const { atMs, value } of readings) {
    const last = kept.at(-1)
    if (last === undefined || atMs > last.atMs) kept.push({ atMs, value: Math.max(value, last?.value ?? value) })
  }
  return kept
}

function growth (track: readonly Reading[], fromMs: number, toMs: number): number | undefined {
  const [first, last] = [track[0], track.at(-1)]
  if (first === undefined || last === undefined || first === last || toMs <= fromMs) return undefined
  const allowedMs = nearestReading * (toMs - fromMs)
  if (distance(track, fromMs) > allowedMs || distance(track, toMs) > allowedMs) return undefined
  return valueAt(track, Math.min(toMs, last.atMs)) - valueAt(track, Math.max(fromMs, first.atMs))
}

function distance (track: readonly Reading[], atMs: number): number {
  const { below, above } = around(track, atMs)
  return Math.min(...[below, above].map(reading => Math.abs((reading?.atMs ?? Infinity) - atMs)))
}

/** @param atMs within the track */
function valueAt (track: readonly Reading[], atMs: number): number {
  const { below, above } = around(track, atMs)
  if (below === undefined || above === undefined) return 0
  return above.atMs === below.atMs ? above.value : below.value + (above.value - below.value) * (Math.min(Math.max(atMs, below.atMs), above.atMs) - below.atMs) / (above.atMs - below.atMs)
}

/** The two readings that it lies between, or the two at that end of the track. */
function around (track: readonly Reading[], atMs: number): { readonly below: Reading | undefined, readonly above: Reading | undefined } {
  let [low, high] = [0, track.length - 1]
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((track[middle]?.atMs ?? 0) <= atMs) low = middle
    else high = middle
  }
  return { below: track[low], above: track[high] }
}
