import { intervalOf, resampled } from '../../stats/bootstrap.js'
import { floorOf, nearestRank, quantileOf, type PercentileName } from '../../stats/percentile.js'
import { seededRandom } from '../../stats/random.js'
import type { ExplainedShare, StallSource } from '../../types.js'

/** Something that lasted, with what the operating system did in it. */
export interface Wait {
  readonly block: number
  readonly ms: number
  /** Wall time that llama-server stood still in it by each source, milliseconds, at least; absent: not known. */
  readonly stallMs: Readonly<Partial<Record<StallSource, number>>>
}

export interface Question {
  readonly condition: string
  readonly metric: ExplainedShare['metric']
  readonly waits: readonly Wait[]
  /** What they are compared with: the waits of the condition's baseline. Absent: the condition's own, of which the shorter half says what is usual. */
  readonly reference?: readonly Wait[]
  /** The calls that these waits are parts of: what was read is known of a call where it is not of its short gaps. */
  readonly whole?: readonly Wait[]
  /** Those that were read at all: what they do not know of a wait was read too seldom for it. */
  readonly sources: readonly StallSource[]
}

export const stallSources: readonly StallSource[] = ['throttled', 'cpu-full', 'memory-full', 'io-full', 'run-queue-wait']

/** An excess below this share of what it exceeds is no excess worth an explanation. */
const leastExcess = 0.05
/** Share of the tail of which a source must know something. */
const leastKnown = 0.5
const replicates = 1000

/**
 * How much of what the slowest waits took beyond the usual is time in which the operating system, by one source, kept llama-server from running.
 *
 * - The tail: waits at or above the highest of p99 and p95 that their number supports; against a baseline also those at or above p50, or all where there are too few for it.
 * - The excess of a wait: its length − the usual, which is the median of the baseline's waits; without a baseline, of the condition's own.
 * - The reference: the baseline's waits; without a baseline, those of the condition's own that are no longer than usual. Of gaps, which are short for that, the calls that
 *   they are parts of, without the gaps that are longer than usual and of which something is known.
 * - The stall beyond the usual: its stall − its length × the reference's stall per time. What a source does all the time explains nothing, and a longer wait may hold more of it.
 * - The share: Σ min(stall beyond the usual, excess) ÷ Σ excess over the tail, within 0 and 1. Where it is negative for one wait it counts as that, so that noise around the
 *   usual adds up to nothing. The interval is by resampling whole blocks.
 *
 * Conservative in each step: times that the kernel sums over CPUs or threads are divided by all of them; where a stall is not known it is 0; sources overlap (a throttled group
 * also shows cpu pressure), so that they are never added up. It is an association in time, not a proof: a cause needs the claim's control. The rest is what no
 * source here sees: waiting in a queue, longer prompts, the server's own work.
 */
export function explainedShare ({ condition, metric, waits, reference, whole, sources }: Question): ExplainedShare | undefined {
  const percentile = percentileFor(waits.length, reference !== undefined)
  if (percentile === undefined) return undefined
  const least = percentile === 'all' ? 0 : nearestRank(Float64Array.from(waits, ({ ms }) => ms).sort(), quantileOf[percentile]) ?? 0
  const tail = waits.filter(({ ms }) => ms >= least)
  const usualMs = nearestRank(Float64Array.from(reference ?? waits, ({ ms }) => ms).sort(), 0.5)
  if (usualMs === undefined) return undefined
  const usual = reference ?? waits.filter(({ ms }) => ms <= usualMs)
  const usualPerMs = (source: StallSource): number | undefined => whole === undefined ? stallPerMs(usual, source) : stallPerMs(whole, source, waits.filter(({ ms }) => ms > usualMs))
  const excessMs = tail.reduce((sum, { ms }) => sum + ms - usualMs, 0) / tail.length
  const head = { condition, metric, percentile, n: waits.length, tail: tail.length, usualMs, excessMs }
  if (excessMs < leastExcess * usualMs) return { ...head, shares: [] }
  const tailMs = tail.reduce((sum, { ms }) => sum + ms, 0) / tail.length
  const shares = sources.map((source): ExplainedShare['shares'][number] => {
    const known = tail.filter(({ stallMs }) => stallMs[source] !== undefined).length
    const perMs = usualPerMs(source)
    if (known < leastKnown * tail.length || perMs === undefined) return { source, share: null, ci95: null, because: `read too seldom for waits of ${Math.round(tailMs)} ms` }
    const sums = sumsByBlock(tail, source, usualMs, perMs)
    return { source, share: shareOf(sums), ci95: interval(sums) }
  })
  return { ...head, shares }
}

function percentileFor (n: number, hasReference: boolean): PercentileName | 'all' | undefined {
  const percentile = (['p99', 'p95', ...hasReference ? ['p50' as const] : []] as const).find(name => n >= floorOf[name])
  return percentile ?? (hasReference && n > 0 ? 'all' : undefined)
}

/** Undefined where it is known of too few. @param but parts of these that are left out where they are known */
function stallPerMs (waits: readonly Wait[], source: StallSource, but: readonly Wait[] = []): number | undefined {
  const [all, left] = [waits, but].map(list => list.filter(({ stallMs }) => stallMs[source] !== undefined))
  if (all === undefined || left === undefined || all.length < leastKnown * waits.length) return undefined
  const sum = (list: readonly Wait[], of: (wait: Wait) => number): number => list.reduce((total, wait) => total + of(wait), 0)
  const ms = sum(all, wait => wait.ms) - sum(left, wait => wait.ms)
  return ms > 0 ? Math.max(0, sum(all, ({ stallMs }) => stallMs[source] ?? 0) - sum(left, ({ stallMs }) => stallMs[source] ?? 0)) / ms : undefined
}

interface Sums { readonly explained: number, readonly excess: number }

function sumsByBlock (tail: readonly Wait[], source: StallSource, usualMs: number, usualPerMs: number): Sums[] {
  const sums = new Map<number, { explained: number, excess: number }>()
  for (const { block, ms, stallMs } of tail) {
    const sum = sums.get(block) ?? { explained: 0, excess: 0 }
    const excess = ms - usualMs
    sum.explained += Math.min((stallMs[source] ?? 0) - ms * usualPerMs, excess)
    sum.excess += excess
    sums.set(block, sum)
  }
  return [...sums.values()]
}

function shareOf (sums: readonly Sums[], weights?: ArrayLike<number>): number {
  let [explained, excess] = [0, 0]
  sums.forEach((sum, i) => {
    explained += (weights?.[i] ?? 1) * sum.explained
    excess += (weights?.[i] ?? 1) * sum.excess
  })
  return excess > 0 ? Math.min(1, Math.max(0, explained / excess)) : 0
}

function interval (sums: readonly Sums[]): readonly [number, number] | null {
  if (sums.length < 2) return null
  const random = seededRandom(1)
  return intervalOf(Array.from({ length: replicates }, () => shareOf(sums, resampled(sums.length, random))), 0.95)
}
