import { threadsOf } from '../compute-threads.js'
import { judgedCalls } from '../window.js'
import { osTracks, type OsCounter, type OsInside } from './counters.js'
import { explainedShare, stallSources, type Wait } from './explained.js'
import type { Block, CallSample, Evidence, ExplainedShare, StallSource } from '../../types.js'

const COUNTER: Readonly<Record<StallSource, OsCounter>> = { throttled: 'throttledMs', 'cpu-full': 'cpuFullMs', 'memory-full': 'memoryFullMs', 'io-full': 'ioFullMs', 'run-queue-wait': 'runQueueWaitMs' }

/** Each answered call, and each gap of a stream, joined with what was read of the operating system while it lasted; by condition. */
export function explainedOf ({ plan }: Pick<Evidence, 'plan'>, blocks: readonly Block[]): ExplainedShare[] {
  const repeated = plan.conditions.filter(({ probe }) => probe === undefined)
  const joined = new Map(repeated.map(({ id }) => [id, joinedOf(id, plan.workload.kind, blocks)]))
  return repeated.flatMap(({ id, baseline }) => {
    const own = joined.get(id)
    if (own === undefined) return []
    const reference = baseline === undefined ? undefined : joined.get(baseline)?.calls
    const calls = explainedShare({ condition: id, metric: 'request-latency', waits: own.calls, sources: own.sources, ...(reference === undefined ? {} : { reference }) })
    const gaps = plan.workload.kind === 'streams' ? explainedShare({ condition: id, metric: 'itl', waits: own.gaps, whole: own.calls, sources: own.sources }) : undefined
    return [calls, gaps].flatMap(each => each === undefined || (own.sources.length === 0) ? [] : [each])
  })
}

interface Joined {
  readonly calls: readonly Wait[]
  readonly gaps: readonly Wait[]
  /** Those that were read in each block. */
  readonly sources: readonly StallSource[]
}

function joinedOf (condition: string, load: Evidence['plan']['workload']['kind'], blocks: readonly Block[]): Joined {
  const own = blocks.filter(({ evidence }) => evidence.plan.condition === condition)
  const [calls, gaps]: [Wait[], Wait[]] = [[], []]
  const tracks = own.map(block => {
    const threads = threadsOf(block)
    return { block, track: osTracks(block), cpus: Math.max(threads, block.evidence.placement.serverCpus.length), waiting: load === 'streams' ? threads : allThreads(block, threads) }
  })
  for (const { block, track, cpus, waiting } of tracks) {
    const wait = (fromMs: number, toMs: number): Wait => ({ block: block.evidence.plan.index, ms: toMs - fromMs, stallMs: stallsOf(track.inside(fromMs, toMs), toMs - fromMs, cpus, waiting) })
    for (const call of judgedCalls(block)) {
      if (call.outcome !== 'answered') continue
      calls.push(wait(call.intendedMs, call.doneMs))
      for (const [fromMs, toMs] of gapsOf(call)) gaps.push(wait(fromMs, toMs))
    }
  }
  return { calls, gaps, sources: tracks.length === 0 ? [] : stallSources.filter(source => tracks.every(({ track }) => track.has(COUNTER[source]))) }
}

/** In a stream the compute threads have next to all of the waiting; under many calls those of HTTP wait, too, and nobody can tell which. */
function allThreads ({ samples }: Block, least: number): number {
  return Math.max(least, ...samples.flatMap(({ process }) => process?.threads ?? []))
}

function gapsOf ({ firstMs, itlMs }: CallSample): Array<readonly [number, number]> {
  if (firstMs === undefined) return []
  let fromMs = firstMs
  return itlMs.map(gapMs => {
    const toMs = fromMs + gapMs
    const gap = [fromMs, toMs] as const
    fromMs = toMs
    return gap
  })
}

/** At least so long stood it still: sums over CPUs and threads are divided by all of them, and no stall is longer than the wait. */
function stallsOf (inside: OsInside, ms: number, cpus: number, waiting: number): Wait['stallMs'] {
  const share: Readonly<Record<StallSource, number>> = { throttled: cpus, 'cpu-full': 1, 'memory-full': 1, 'io-full': 1, 'run-queue-wait': Math.max(1, waiting) }
  return Object.fromEntries(stallSources.flatMap(source => {
    const value = inside[COUNTER[source]]
    return value === undefined ? [] : [[source, Math.min(ms, value / share[source])]]
  }))
}
