/** Numbers of streams for the tables of a claim: what cures promise, and what else could have taken or given the time. */
import { bothOf, cpusOfOthers, majorFaultsPerSecond, middleOf, middleOfPairs, queueShare, queueShareByPidstat, ratioOf, stealShare, throttledPeriods, worstOf, type Figure } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { contrastCheck, type Band, type Check, type Checks } from './checks.js'
import type { OfStreams } from './contract.js'
import { unbounded } from './leg.js'
import { LOAD } from './sources.js'

export type StreamsCheck = Check<OfStreams>

export const [without, withIt] = ['before', 'after'] as const

/** Most CPU time of a token beside a hog on the same CPU, ÷ that without: between its slices the hog fills the caches. One bound for all claims. */
export const COLD_CACHES = 1.3

/** A ratio nearer to 1 than this is the same. */
export const EQUIVALENT: Band = [1 / 1.1, 1.1]
/** Where nobody else wants a CPU, hardly any time is spent in run queues: load and sampler have little to do. */
const QUIET_QUEUE: Band = [0, 0.1]
const QUIET_OTHERS: Band = [0, 0.5]

/**
 * Under the interference: the outcome with ÷ without as predicted, and the whole interval on that side of 1. On the quiet host: the whole interval within a tenth of 1.
 * @param metric of a contrast
 */
export function cureChecks (metric: string, better: 'higher' | 'lower', band: StreamsCheck['band']): Checks<OfStreams> {
  const what = `${metric}, with ÷ without`
  return [
    contrastCheck(metric, 'ratio', { id: 'cure', what, source: LOAD, band, quiet: null }),
    contrastCheck(metric, better === 'higher' ? 'lower end' : 'upper end', { id: 'cure-interval', what: 'the end of its interval that is nearer to 1', source: LOAD, band, quiet: null, byMeaning: better === 'higher' ? [1, unbounded] : [0, 1] }),
    contrastCheck(metric, 'lower end', { id: 'equivalent', what: `without any interference ${what}, lower end of its interval`, source: LOAD, band: null, quiet: EQUIVALENT }),
    contrastCheck(metric, 'upper end', { id: 'equivalent-upper-end', what: 'upper end', source: LOAD, band: null, quiet: EQUIVALENT, inBandOf: 'equivalent' })
  ]
}

type Bands = Pick<StreamsCheck, 'band' | 'quiet'>

/** Its ids are `queue-before` and `queue-after`. */
export function queueCheck (condition: string, what: string, { band }: Pick<Bands, 'band'>): StreamsCheck {
  return { id: `queue-${condition}`, metric: 'queue-share', what: `share of its time in run queues, ${what}`, source: views => queueOf(views, condition).source, value: views => queueOf(views, condition).value, band, quiet: QUIET_QUEUE }
}

/** By pidstat of the compute threads where it ran in all blocks; else by the kernel's counters, which the harness's own sampler reads: no more the load generator than pidstat is. Its HTTP threads, which wait for the same CPU, are in those. */
export function queueOf (views: readonly StreamsView[], condition: string): { readonly value: number | null, readonly source: string } {
  const byTool = middleOf(views, condition, queueShareByPidstat)
  return byTool === null
    ? { value: middleOf(views, condition, queueShare), source: '/proc/PID/task/*/schedstat' }
    : { value: byTool, source: 'pidstat (%wait ÷ (%wait + %CPU) of the compute threads)' }
}

/** CPUs that everybody else used: with a band, the hogs have not gone; on the quiet host there were none. Its ids are `others-before` and `others-after`. */
export function othersCheck (condition: string, what: string, { band }: Pick<Bands, 'band'>): StreamsCheck {
  return figureCheck(condition, cpusOfOthers, { id: `others-${condition}`, metric: 'cpus-of-others', what: `CPUs used by everybody else, ${what}`, source: '/proc/stat', band, quiet: QUIET_OTHERS })
}

type Told = Pick<StreamsCheck, 'id' | 'metric' | 'what' | 'isCounted'> & Bands & { readonly source: string }

/** Median of a condition. */
export function figureCheck (condition: string, figure: Figure, told: Told): StreamsCheck {
  return { ...told, value: views => middleOf(views, condition, figure) }
}

/** With ÷ without, each pair by itself. */
export function ratioCheck (figure: Figure, told: Told): StreamsCheck {
  return {
    ...told,
    source: figure.withPace === undefined ? told.source : views => sourceAtPace(told.source, views),
    value: views => middleOfPairs(views, without, withIt, ratioOf(figure)),
    compared: views => bothOf(views, without, withIt, figure)
  }
}

/** Of a figure that compares blocks at the pace of each. */
export function sourceAtPace (source: string, views: readonly StreamsView[]): string {
  return views.some(({ summary }) => summary.yardstick !== undefined) ? `${source}, at the pace of each block (yardstick)` : source
}

/** Rivals of every claim about a fight for CPUs: each is a way to lose time that is not waiting for a CPU of this machine. Throttling is judged only where it is counted: outside any group with a quota there is nothing to count. */
export const rivalChecks: readonly [StreamsCheck, ...StreamsCheck[]] = [
  { id: 'steal-share', metric: 'steal-share', what: 'share of CPU time stolen by the hypervisor, worst block', source: '/proc/stat', value: views => worstOf(views, stealShare), band: () => [0, 0.03] },
  { id: 'major-faults', metric: 'major-faults', what: 'pages that llama-server read from storage per second, worst block: nothing was evicted', source: '/proc/PID/stat', value: views => worstOf(views, majorFaultsPerSecond), band: () => [0, 10] },
  { id: 'throttled-periods', metric: 'throttled-periods', what: 'throttled periods, worst block', source: 'cpu.stat', value: views => worstOf(counted(views), throttledPeriods), isCounted: views => counted(views).length > 0, band: () => [0, 0] }
]

function counted (views: readonly StreamsView[]): StreamsView[] {
  return views.filter(view => throttledPeriods(view) !== null)
}
