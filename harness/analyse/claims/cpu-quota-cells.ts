import { percentiles } from '../../stats/percentile.js'
import type { Condition, Plan } from '../../types.js'
import { computeThreads } from '../compute-threads.js'
import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import { ttftMs, type StreamsView } from '../streams-summary.js'
import { judgedSamples, middle } from '../window.js'

/** A condition of the plan under a quota, with the one that differs from it by having none. */
export interface QuotaCell {
  readonly id: string
  readonly baseline: string
  readonly quotaMs: number
  readonly periodMs: number
}

/** `cpu-quota=500/1000` among its knobs; undefined without a quota. */
export function quotaOf ({ knobs }: Pick<Condition, 'knobs'>): { readonly quotaMs: number, readonly periodMs: number } | undefined {
  for (const knob of knobs) {
    const [, quota, period] = /^cpu-quota=([\d.]+)\/([\d.]+)$/.exec(knob) ?? []
    if (quota !== undefined && period !== undefined) return { quotaMs: Number(quota), periodMs: Number(period) }
  }
  return undefined
}

export function quotaCells ({ conditions }: Pick<Plan, 'conditions'>): QuotaCell[] {
  return conditions.flatMap(condition => {
    const quota = quotaOf(condition)
    return quota === undefined || condition.baseline === undefined ? [] : [{ id: condition.id, baseline: condition.baseline, ...quota }]
  })
}

export function baselinesOf (cells: readonly QuotaCell[]): string[] {
  return [...new Set(cells.map(({ baseline }) => baseline))]
}

/** Two cells that differ in their period only: the same baseline, the same share of each period. */
export interface PeriodPair {
  readonly id: string
  readonly long: QuotaCell
  readonly short: QuotaCell
}

/** Each period against the next shorter one. */
export function periodPairs (cells: readonly QuotaCell[]): PeriodPair[] {
  const share = ({ quotaMs, periodMs }: QuotaCell): string => (quotaMs / periodMs).toFixed(6)
  return cells.flatMap(long => {
    const shorter = cells.filter(cell => cell.baseline === long.baseline && share(cell) === share(long) && cell.periodMs < long.periodMs)
    const [short] = shorter.sort((a, b) => b.periodMs - a.periodMs)
    return short === undefined ? [] : [{ id: `${long.id}/${short.id}`, long, short }]
  })
}

/** What the client saw of a condition, over its blocks. */
export interface Gaps {
  readonly medianMs: number | null
  readonly p99Ms: number | null
  readonly ttftMs: number | null
  /** Median of the long gaps, less the median of all. */
  readonly stallMs: number | null
  /** Long gaps, and long waits for a first token. */
  readonly longWaits: number
}

/** Above these a wait for a token is a long one. */
export interface LongAbove { readonly gapMs: number, readonly ttftMs: number }

export function gapsOf (views: readonly StreamsView[], id: string, above: LongAbove = { gapMs: Infinity, ttftMs: Infinity }): Gaps {
  const own = ofCondition(views, id).filter(view => view.summary.serverEnd === undefined)
  const gapsMs = own.flatMap(view => view.gapsMs)
  const ttftsMs = own.flatMap(view => view.judged.flatMap(ttftMs))
  const long = gapsMs.filter(gap => gap > above.gapMs)
  const [medianMs, longMs] = [middle(gapsMs), middle(long)]
  return {
    medianMs,
    p99Ms: percentiles(gapsMs, gapsMs.length).p99,
    ttftMs: middle(ttftsMs),
    stallMs: medianMs === null || longMs === null ? null : longMs - medianMs,
    longWaits: long.length + ttftsMs.filter(ttft => ttft > above.ttftMs).length
  }
}

/** Growth of a counter of the group over the blocks of a condition; null when a block has no such counter. */
export function growth (views: readonly StreamsView[], id: string, counter: 'periods' | 'throttledPeriods' | 'cpuFullUsec' | 'cpuUsec'): number | null {
  const own = ofCondition(views, id).map(view => view.summary.group[counter])
  return own.length === 0 || own.includes(undefined) ? null : own.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}

/**
 * Median gap ÷ CPU time of a token, in each block by itself: the wall time that a millisecond of its CPU time takes. A machine that is slower in one block
 * stretches both; a server that is off its CPU between tokens, only the gap. The middle of the blocks; null without a block that has both.
 */
export function gapPerCpuTime (views: readonly StreamsView[], id: string): number | null {
  const own = ofCondition(views, id).filter(view => view.summary.serverEnd === undefined)
  return middle(own.flatMap(({ gapsMs, summary: { serverCpuUsecPerToken } }) => {
    const medianMs = middle(gapsMs)
    return medianMs === null || serverCpuUsecPerToken === null ? [] : [1000 * medianMs / serverCpuUsecPerToken]
  }))
}

/**
 * The group's cpu pressure "full" for each throttled period, milliseconds, less what its baseline has for as much CPU time. The kernel counts every moment in which
 * tasks of the group are runnable on a CPU and none of them is on it (kernel/sched/psi.c, test_states: PSI_CPU_FULL), be it for the quota or because somebody
 * else has that CPU; without a quota it is only the latter.
 */
export function fullPerPeriodMs (views: readonly StreamsView[], { id, baseline }: Pick<QuotaCell, 'id' | 'baseline'>): number | null {
  const usual = ratio(growth(views, baseline, 'cpuFullUsec'), growth(views, baseline, 'cpuUsec'))
  const [fullUsec, cpuUsec] = [growth(views, id, 'cpuFullUsec'), growth(views, id, 'cpuUsec')]
  if (usual === null || fullUsec === null || cpuUsec === null) return null
  return ratio((fullUsec - usual * cpuUsec) / 1000, growth(views, id, 'throttledPeriods'))
}

/** Share of the time that a compute thread of llama-server stood runnable without a CPU, mean over them and over the blocks of a condition, by pidstat. Null when a block lacks it. */
export function computeWaitShare (views: readonly StreamsView[], id: string): number | null {
  return shareOf(ofCondition(views, id).map(({ block }) => {
    if (block.tools?.pidstat === undefined) return null
    const { fromMs, toMs } = block.tools.pidstat
    const compute = computeThreads(block)
    return compute.length === 0 ? null : [compute.reduce((sum, { waitUsec }) => sum + waitUsec, 0), compute.length * 1000 * (toMs - fromMs)]
  }))
}

/**
 * Time that threads of llama-server were runnable and waited for a CPU, ÷ time: more than 1 when several wait at once. By pidstat where it ran,
 * else from the sampler's schedstat.
 */
export function runQueueWaitShare (views: readonly StreamsView[], id: string): { readonly share: number | null, readonly source: string } {
  const own = ofCondition(views, id)
  const pidstat = own.map(({ block: { tools } }) => tools?.pidstat?.waitUsec === undefined ? null : [tools.pidstat.waitUsec, 1000 * (tools.pidstat.toMs - tools.pidstat.fromMs)] as const)
  if (own.length > 0 && !pidstat.includes(null)) return { share: shareOf(pidstat), source: 'pidstat (%wait of its threads)' }
  return { share: shareOf(own.map(schedstatWait)), source: '/proc/PID/task/*/schedstat (run-queue wait)' }
}

function schedstatWait (view: StreamsView): readonly [waitUsec: number, usec: number] | null {
  const samples = judgedSamples(view.block).filter(sample => sample.process?.runQueueWaitNs !== undefined)
  const [first, last] = [samples[0], samples.at(-1)]
  if (first?.process?.runQueueWaitNs === undefined || last?.process?.runQueueWaitNs === undefined || last.atMs <= first.atMs) return null
  return [(last.process.runQueueWaitNs - first.process.runQueueWaitNs) / 1000, 1000 * (last.atMs - first.atMs)]
}

function shareOf (parts: ReadonlyArray<readonly [part: number, whole: number] | null>): number | null {
  if (parts.length === 0 || parts.includes(null)) return null
  const sum = (at: 0 | 1): number => parts.reduce((all, part) => all + (part?.[at] ?? 0), 0)
  return sum(1) > 0 ? sum(0) / sum(1) : null
}
