/** What a block of streams shows of the fight for CPUs. All figures are over the judged window; null: not measured. */
import type { Block, OsSample } from '../types.js'
import { computeThreads } from './compute-threads.js'
import { ofCondition, pairsOf } from './gate.js'
import { growthOf, wholeRate, type StreamsView } from './streams-summary.js'
import { judgedSamples, middle } from './window.js'

export interface Figure {
  (view: StreamsView): number | null
  /** How it goes with the time that the machine takes for the same work: 1 as that time, −1 as its inverse. Absent: not at all, or not known. */
  readonly withPace?: 1 | -1
}

/** A figure that is as long as the machine takes for the same work: of two blocks it is compared at the pace of each. Not for a control that asks whether the machine changed. */
export function timeOf (figure: (view: StreamsView) => number | null): Figure {
  return Object.assign((view: StreamsView) => figure(view), { withPace: 1 } as const)
}

/** One of work in a time. */
export function speedOf (figure: (view: StreamsView) => number | null): Figure {
  return Object.assign((view: StreamsView) => figure(view), { withPace: -1 } as const)
}

/** Tokens per second of a whole load; null when its server was killed. */
export const rate: Figure = speedOf(({ summary }) => wholeRate(summary))

/** Median over the valid blocks of a condition, of an even number the lower one (ratios: `middleOfPairs`); null when there is none, or one lacks the figure. */
export function middleOf (views: readonly StreamsView[], condition: string, figure: Figure): number | null {
  const found = ofCondition(views, condition).map(figure)
  return found.includes(null) ? null : middle(found.flatMap(value => value ?? []))
}

/**
 * Of each repeat `of` its blocks of two conditions, which stand near each other in time, and the median of that: a machine that is slower in one repeat than in the next
 * moves no ratio. Null when there is no such pair, or one has no value.
 */
export function middleOfPairs (views: readonly StreamsView[], a: string, b: string, of: (a: StreamsView, b: StreamsView) => number | null): number | null {
  const found = pairsOf(views, a, b).map(pair => of(pair.a, pair.b))
  return found.includes(null) ? null : median(found.flatMap(value => value ?? []))
}

/** Of an even number the mean of the two in the middle. Null when empty. */
function median (values: readonly number[]): number | null {
  const sorted = Float64Array.from(values).sort()
  const [lower, upper] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]]
  return lower === undefined || upper === undefined ? null : (lower + upper) / 2
}

/** What two conditions have of a figure, medians; undefined where one lacks it. */
export function bothOf (views: readonly StreamsView[], a: string, b: string, figure: Figure): readonly [number, number] | undefined {
  const [from, to] = [middleOf(views, a, figure), middleOf(views, b, figure)]
  return from === null || to === null ? undefined : [from, to]
}

/**
 * A figure of b ÷ another of a, at the pace of each block where both go with it alike: a machine that took half as long again for a token about one of them does not move it. Null where one is not
 * measured, or that of a is not above 0.
 */
export function quotientOf (ofB: Figure, ofA: Figure): (a: StreamsView, b: StreamsView) => number | null {
  const withPace = ofA.withPace === ofB.withPace ? ofA.withPace : undefined
  return (a, b) => {
    const [from, to, slower] = [ofA(a), ofB(b), withPace === undefined ? 1 : slowerBy(a, b)]
    return from === null || to === null || slower === null || !(from > 0) ? null : to / from / slower ** (withPace ?? 1)
  }
}

/** Time for the same work by the yardstick, about b ÷ about a: 1 where no pace can be told, in a run without one or of two with unlike numbers of threads; null where one block lacks it. */
function slowerBy (a: StreamsView, b: StreamsView): number | null {
  const [ofA, ofB] = [a.summary.yardstick, b.summary.yardstick]
  if (ofA === undefined || ofB === undefined) return ofA === ofB ? 1 : null
  return ofA.threads === ofB.threads ? ofB.ms / ofA.ms : 1
}

/** The same of one figure. */
export function ratioOf (figure: Figure): (a: StreamsView, b: StreamsView) => number | null {
  return quotientOf(figure, figure)
}

/** b − a of a figure; null where one is not measured. */
export function differenceOf (figure: Figure): (a: StreamsView, b: StreamsView) => number | null {
  return (a, b) => {
    const [from, to] = [figure(a), figure(b)]
    return from === null || to === null ? null : to - from
  }
}

/** Largest over all blocks; null when there is none, or one lacks the figure. */
export function worstOf (views: readonly StreamsView[], figure: Figure): number | null {
  const found = views.map(figure)
  return found.length === 0 || found.includes(null) ? null : Math.max(...found.flatMap(value => value ?? []))
}

/**
 * Of the time that llama-server's threads wanted a CPU, the share that they stood in a run queue: 0 when each has a CPU of its own, and
 * n ÷ (n + 1) beside n others of the same weight. From the kernel's own count for each thread.
 */
export const queueShare: Figure = ({ block }) => {
  const samples = judgedSamples(block).filter(sample => sample.process?.runQueueWaitNs !== undefined)
  return share(div(growthOf(samples, sample => sample.process?.runQueueWaitNs), 1000), growthOf(samples, sample => sample.process?.cpuUsec))
}

/** The same by pidstat over its own window, of the compute threads alone. */
export const queueShareByPidstat: Figure = ({ block }) => {
  const threads = computeThreads(block)
  const sum = (of: 'cpuUsec' | 'waitUsec'): number => threads.reduce((all, thread) => all + thread[of], 0)
  return threads.length === 0 ? null : share(sum('waitUsec'), sum('cpuUsec'))
}

/** Switches away from a thread of llama-server that wanted to go on, per second. */
export const preemptionsPerSecond: Figure = ({ block }) => perSecond(block, sample => sample.process?.involuntarySwitches)

/** Moves of a thread of llama-server to another CPU, per second, by perf stat. */
export const migrationsPerSecond: Figure = ({ block }) => {
  const perf = block.tools?.perf
  return perf === undefined ? null : div(perf.cpuMigrations, (perf.toMs - perf.fromMs) / 1000)
}

/** As it was: controls of mitigations ask by it whether the machine got faster. */
export const cpuPerToken: Figure = ({ summary }) => summary.serverCpuUsecPerToken

export const cpusUsed: Figure = ({ summary }) => summary.cpusUsed

/** CPUs that all other programs used together: hogs, load, sampler. */
export const cpusOfOthers: Figure = ({ block }) => {
  const samples = judgedSamples(block).filter(sample => sample.process !== undefined && sample.host !== undefined)
  const [busyUsec, ownUsec] = [growthOf(samples, sample => sample.host?.busyUsec), growthOf(samples, sample => sample.process?.cpuUsec)]
  return busyUsec === null || ownUsec === null ? null : div(busyUsec - ownUsec, 1000 * wallMs(samples))
}

/** CPU time that the hypervisor gave to somebody else, share of all. */
export const stealShare: Figure = ({ block }) => {
  const samples = judgedSamples(block)
  const [steal, busy, idle] = (['stealUsec', 'busyUsec', 'idleUsec'] as const).map(key => growthOf(samples, sample => sample.host?.[key]))
  return steal === null || steal === undefined ? null : div(steal, steal + (busy ?? 0) + (idle ?? 0))
}

/** Pages of llama-server that had to come from storage, per second. */
export const majorFaultsPerSecond: Figure = ({ block }) => perSecond(block, sample => sample.process?.majorFaults)

/** Of llama-server's group, its own or the one that it was started in; null: the kernel counts none there. */
export const throttledPeriods: Figure = ({ block, summary }) =>
  summary.group.throttledPeriods ?? growthOf(judgedSamples(block), sample => sample.cgroup?.['cpu.stat.nr_throttled'])

function perSecond (block: Block, pick: (sample: OsSample) => number | undefined): number | null {
  const samples = judgedSamples(block).filter(sample => pick(sample) !== undefined)
  return div(growthOf(samples, pick), wallMs(samples) / 1000)
}

function wallMs (samples: readonly OsSample[]): number {
  return (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0)
}

function share (waited: number | null, ran: number | null): number | null {
  return waited === null || ran === null ? null : div(waited, waited + ran)
}

function div (a: number | null, b: number): number | null {
  return a === null || !(b > 0) ? null : a / b
}
