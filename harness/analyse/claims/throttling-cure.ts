import { calibratedServer } from '../../plan/streams-plan.js'
import type { Manifest, StreamsPlan } from '../../types.js'
import { ratio } from '../ratio.js'
import type { StreamsView } from '../streams-summary.js'
import { streamsEntry } from './checked-claim.js'
import { contrastCheck, type Band } from './checks.js'
import type { ClaimEntry, StreamsDraft } from './contract.js'
import { gapsOf, growth, quotaOf, runQueueWaitShare, type Gaps } from './cpu-quota-cells.js'
import { both, unbounded } from './leg.js'
import { LOAD } from './sources.js'
import { EQUIVALENT, withIt, without, type StreamsCheck } from './streams-checks.js'

const cpuStat = 'cpu.stat of the group (nr_throttled, nr_periods)'

export interface ThrottlingCure {
  readonly id: string
  readonly statement: string
  readonly explanation: string
  /** The load is never idle, so that the stall without it is period − quota ÷ CPUs used at once, and most periods are throttled. */
  readonly isSteady: boolean
  /** Beside those that all mitigations against a quota have in common; asked under the quota. */
  readonly mechanism: readonly StreamsCheck[]
}

/** What stops a server at its quota no longer: gone are the stops and the tail that they made, and nothing else got faster. On the quiet host, which has no quota, it must change nothing. */
export function throttlingCure (cure: ThrottlingCure): ClaimEntry {
  return streamsEntry({
    id: cure.id,
    statement: cure.statement,
    quietStatement: `Without a quota it changes nothing (${cure.id})`,
    explanation: cure.explanation,
    application: [
      contrastCheck('itl-p99', 'upper end', { id: 'itl-p99-ratio', what: 'gap p99, with ÷ without: upper end of the interval', source: LOAD, band: () => [0, 0.5], quiet: null }),
      contrastCheck('tokens-per-second', 'lower end', { id: 'tokens-per-second-ratio', what: 'tokens/s, with ÷ without: lower end of the interval; the tail is not bought with the rate', source: LOAD, band: () => [0.9, unbounded], quiet: null }),
      contrastCheck('itl-p99', 'lower end', { id: 'quiet-itl-p99-ratio', what: 'gap p99 without a quota, with ÷ without: lower end of the interval', source: LOAD, band: null, quiet: EQUIVALENT }),
      contrastCheck('itl-p99', 'upper end', { id: 'quiet-itl-p99-upper-end', what: 'upper end', source: LOAD, band: null, quiet: EQUIVALENT, inBandOf: 'quiet-itl-p99-ratio' })
    ],
    os: [
      { ...runQueueWait, id: 'run-queue-wait-ratio', what: 'time that threads of llama-server were runnable without a CPU, with ÷ without', value: views => { const [a, b] = waits(views); return ratio(b, a) }, band: () => [0, 0.5], quiet: null },
      { ...runQueueWait, id: 'quiet-run-queue-wait', what: 'run-queue wait of llama-server ÷ time, with less without', value: views => { const [a, b] = waits(views); return a === null || b === null ? null : b - a }, band: null, quiet: [-0.1, 0.1] }
    ],
    control: [
      { ...medianGap, id: 'median-gap-ratio', what: 'median gap, with ÷ without: between the stops the server was as fast', band: () => [0.75, 1.33], quiet: null },
      { id: 'long-waits-per-throttled-period', metric: 'itl', what: 'long waits for a token without it ÷ nr_throttled: each was a throttled period', source: `${LOAD}; ${cpuStat}`, value: (views, plan) => ratio(gapsWithout(views, plan).longWaits, growth(views, without, 'throttledPeriods')), band: () => [0.8, 1.2], quiet: null },
      { id: 'quiet-throttled-periods', metric: 'throttled-periods', what: 'throttled periods in both arms; none where llama-server has no group of its own', source: cpuStat, value: throttledPeriods, band: null, quiet: [0, 0] }
    ],
    mechanism: [
      throttledShare(without, `nr_throttled ÷ nr_periods without it: ${cure.isSteady ? 'most periods' : 'those that a call fell into'}`, [cure.isSteady ? 0.6 : 0.2, 1]),
      throttledShare(withIt, 'with it', [0, 0.1]),
      ...(cure.isSteady ? [stall] : []),
      ...cure.mechanism,
      { ...medianGap, id: 'quiet-median-gap-ratio', what: 'median gap, with ÷ without', band: null, quiet: EQUIVALENT }
    ]
  })
}

/** The stop that a quota predicts. */
const stall: StreamsCheck = {
  id: 'stall-before',
  metric: 'itl',
  what: 'median long gap − median gap without it, ms: period − quota ÷ CPUs used at once unthrottled, ± 20 %',
  source: `${LOAD}; CPUs used from /proc/PID/stat of the calibration`,
  value: (views, plan) => gapsWithout(views, plan).stallMs,
  band: stallBand,
  quiet: null
}

function stallBand (draft: StreamsDraft, manifest: Manifest): Band | undefined {
  const condition = draft.conditions.find(({ id }) => id === without)
  const quota = condition === undefined ? undefined : quotaOf(condition)
  if (condition === undefined || quota === undefined) return undefined
  const server = calibratedServer(draft, condition, manifest)
  if (server === undefined || server.cpusUsed === null) return undefined
  const stallMs = quota.periodMs - quota.quotaMs / server.cpusUsed
  if (stallMs < 2 * server.gapMs) throw new Error(`${draft.experiment}: a quota of ${quota.quotaMs} ms in each ${quota.periodMs} ms does not stop a server that uses ${server.cpusUsed} CPUs at once, so that there is nothing to cure; this machine is not one to show it on`)
  return [0.8 * stallMs, 1.2 * stallMs]
}

const runQueueWait = {
  metric: 'run-queue-wait',
  source: (views: readonly StreamsView[]) => runQueueWaitShare(views, without).source,
  compared: (views: readonly StreamsView[]) => both(...waits(views))
}

function waits (views: readonly StreamsView[]): [without: number | null, withIt: number | null] {
  return [runQueueWaitShare(views, without).share, runQueueWaitShare(views, withIt).share]
}

const medianGap = {
  metric: 'itl-p50',
  source: LOAD,
  value: (views: readonly StreamsView[]) => ratio(gapsOf(views, withIt).medianMs, gapsOf(views, without).medianMs),
  compared: (views: readonly StreamsView[]) => both(gapsOf(views, without).medianMs, gapsOf(views, withIt).medianMs)
}

/** A gap is long from a twentieth of the period on, and from four median gaps: nearly every stop is longer, a slow token shorter. */
function gapsWithout (views: readonly StreamsView[], plan: StreamsPlan): Gaps {
  const condition = plan.conditions.find(({ id }) => id === without)
  const periodMs = condition === undefined ? undefined : quotaOf(condition)?.periodMs
  const [usual, cured] = [gapsOf(views, without), gapsOf(views, withIt)]
  const longMs = Math.max((periodMs ?? Infinity) / 20, 4 * (usual.medianMs ?? 0))
  const ttftMs = Math.min(usual.ttftMs ?? Infinity, cured.ttftMs ?? Infinity)
  return gapsOf(views, without, { gapMs: longMs, ttftMs: ttftMs + longMs })
}

function throttledShare (condition: string, what: string, band: Band): StreamsCheck {
  return { id: `throttled-share-${condition}`, metric: 'throttled-periods', what, source: cpuStat, value: views => ratio(growth(views, condition, 'throttledPeriods'), growth(views, condition, 'periods')), band: () => band, quiet: null }
}

/** A server without a group of its own cannot be throttled: no knob asked for one. */
function throttledPeriods (views: readonly StreamsView[]): number | null {
  const grouped = views.filter(({ block }) => block.evidence.group !== undefined).map(({ summary }) => summary.group.throttledPeriods)
  return views.length === 0 || grouped.includes(undefined) ? null : grouped.reduce<number>((sum, value) => sum + (value ?? 0), 0)
}
