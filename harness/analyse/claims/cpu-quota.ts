import type { Claim, Leg, Mark, Plan } from '../../types.js'
import { isStreams } from '../plan-kind.js'
import { ratio } from '../ratio.js'
import type { StreamsView } from '../streams-summary.js'
import { cellsLeg, predictedValue } from './cells-leg.js'
import type { ClaimEntry } from './contract.js'
import { baselinesOf, computeWaitShare, fullPerPeriodMs, gapPerCpuTime, gapsOf, growth, periodPairs, quotaCells, runQueueWaitShare, type Gaps, type QuotaCell } from './cpu-quota-cells.js'
import { close, quotaPredictionIds as ids, quotaPredictions } from './cpu-quota-predictions.js'
import { allOf, bandLeg, both, missingLeg, predictionOf, withStatus } from './leg.js'
import { LOAD } from './sources.js'

const explanation = 'The kernel gives a control group its quota of CPU time at the beginning of each period. Threads that compute together use it up together: ' +
  'u of them at once need quota ÷ u of wall time. Then all of them are taken off their CPUs until the period ends, whatever they were doing: every stream stops for ' +
  'period − quota ÷ u. Between two such stalls tokens come as fast as ever, so the median gap says nothing, and the tail is as long as the period. ' +
  'Threads that spin while they wait for each other use the quota up without a token to show for it. A shorter period at the same share shortens the stall and not the rate.'

/** The mechanism of a CPU quota: one stall in each throttled period, as long as period − quota ÷ CPUs used at once. */
export const cpuQuota: ClaimEntry = {
  id: 'cpu-quota-stalls',
  predictions: quotaPredictions,
  claims: (plan, _blocks, { streams }) => isStreams(plan) ? [quotaClaim(plan, streams)] : []
}

/** What was seen of a cell, and of the same threads without a quota. */
interface Seen {
  readonly cell: QuotaCell
  /** Null when nothing was predicted. */
  readonly predictedMs: number | null
  readonly usual: Gaps
  readonly gaps: Gaps
}

function quotaClaim (plan: Plan, views: readonly StreamsView[]): Claim {
  const seen = quotaCells(plan).map(cell => seenOf(plan, views, cell))
  const legs = {
    application: applicationLeg(plan, views, seen),
    os: computeWaitLeg(plan, views, seen),
    control: controlLeg(plan, views, seen),
    mechanism: mechanismLeg(plan, views, seen)
  }
  return withStatus({
    id: cpuQuota.id,
    statement: 'A CPU quota stops every stream once in each period, for period − quota ÷ CPUs used at once; between the stops tokens come as fast as without it',
    predicted: seen.map(({ cell, predictedMs }) => predictedMs === null ? `${cell.id}: nothing was predicted before the run` : `${cell.id} ${Math.round(predictedMs)} ms`).join(', '),
    ...legs,
    explanation,
    marks: seen.flatMap(markOf)
  })
}

function seenOf (plan: Plan, views: readonly StreamsView[], cell: QuotaCell): Seen {
  const prediction = predictionOf(plan, ids.stall(cell.id))
  const predictedMs = prediction === undefined ? null : predictedValue(prediction)
  const usual = gapsOf(views, cell.baseline)
  const half = (predictedMs ?? Infinity) / 2
  return { cell, predictedMs, usual, gaps: gapsOf(views, cell.id, { gapMs: (usual.medianMs ?? 0) + half, ttftMs: (usual.ttftMs ?? 0) + half }) }
}

function markOf ({ cell, predictedMs, usual }: Seen): Mark[] {
  return predictedMs === null || usual.medianMs === null ? [] : [{ condition: cell.id, atMs: predictedMs + usual.medianMs, label: 'predicted' }]
}

function applicationLeg (plan: Plan, views: readonly StreamsView[], seen: readonly Seen[]): Leg {
  const source = LOAD
  const counted = 'load generator (calls.ndjson) and cpu.stat of the group (nr_throttled)'
  const throttled = seen.map(({ cell, gaps }) => ({ id: cell.id, waits: gaps.longWaits, periods: growth(views, cell.id, 'throttledPeriods') }))
  const sum = (pick: (each: typeof throttled[number]) => number): number => throttled.reduce((all, each) => all + pick(each), 0)
  const periods = throttled.some(each => each.periods === null) ? null : sum(each => each.periods ?? 0)
  return allOf([
    cellsLeg('median gap ÷ CPU time of a token, in each block, ÷ that without quota', `${source}; CPU time from /proc/PID/stat`, seen.map(({ cell }) => ({
      id: cell.id, value: ratio(gapPerCpuTime(views, cell.id), gapPerCpuTime(views, cell.baseline)), prediction: predictionOf(plan, ids.gap(cell.id))
    }))),
    bandLeg('long waits for a token ÷ nr_throttled, all conditions', counted, ratio(sum(each => each.waits), periods), predictionOf(plan, ids.waits)),
    cellsLeg('each', counted, throttled.map(({ id, waits, periods }) => ({ id, value: ratio(waits, periods), prediction: predictionOf(plan, ids.waitsOf(id)) })))
  ])
}

function computeWaitLeg (plan: Plan, views: readonly StreamsView[], seen: readonly Seen[]): Leg {
  if (seen.some(({ cell }) => predictionOf(plan, ids.runQueue(cell.id)) !== undefined)) return runQueueLegOfEarlierPlans(plan, views, seen)
  return cellsLeg('time that a compute thread was runnable and had no CPU ÷ time, less what it waits without quota', 'pidstat (%wait of the compute threads)', seen.map(({ cell: { id, baseline } }) => {
    const [own, usual, prediction] = [computeWaitShare(views, id), computeWaitShare(views, baseline), predictionOf(plan, ids.computeWait(id))]
    const value = own === null || usual === null || prediction === undefined ? null : own - usual * (1 - predictedValue(prediction))
    return { id, value, prediction, compared: both(usual, own) }
  }))
}

function runQueueLegOfEarlierPlans (plan: Plan, views: readonly StreamsView[], seen: readonly Seen[]): Leg {
  const statement = 'time that its threads were runnable and had no CPU, ÷ time, beyond that without quota'
  const [{ source } = { source: 'pidstat' }] = seen.map(({ cell }) => runQueueWaitShare(views, cell.id))
  return cellsLeg(statement, source, seen.map(({ cell }) => {
    const [own, usual] = [runQueueWaitShare(views, cell.id).share, runQueueWaitShare(views, cell.baseline).share]
    return { id: cell.id, value: own === null || usual === null ? null : own - usual, prediction: predictionOf(plan, ids.runQueue(cell.id)) }
  }))
}

function controlLeg (plan: Plan, views: readonly StreamsView[], seen: readonly Seen[]): Leg {
  const cells = seen.map(({ cell }) => cell)
  const pairs = periodPairs(cells)
  const p99 = (cell: QuotaCell): number | null => seen.find(each => each.cell === cell)?.gaps.p99Ms ?? null
  if (pairs.length === 0) return missingLeg('gap p99 goes with the period', LOAD, 'no two conditions have the same share of different periods')
  return allOf([
    cellsLeg('gap p99 goes with the period at the same share', LOAD, pairs.map(({ id, long, short }) => ({
      id, value: ratio(p99(long), p99(short)), prediction: predictionOf(plan, ids.period(id))
    }))),
    cellsLeg('periods throttled without quota', 'cpu.stat of the group (nr_throttled)', baselinesOf(cells).map(id => ({
      id, value: growth(views, id, 'throttledPeriods'), prediction: predictionOf(plan, ids.unthrottled(id))
    })))
  ])
}

function mechanismLeg (plan: Plan, views: readonly StreamsView[], seen: readonly Seen[]): Leg {
  const source = 'load generator (calls.ndjson); u from /proc/PID/stat of the calibration'
  const closeOnes = seen.filter(({ predictedMs, gaps }) => predictedMs !== null && gaps.stallMs !== null && Math.abs(gaps.stallMs / predictedMs - 1) <= close)
  const stalls = [
    cellsLeg('stall, ms', source, seen.map(({ cell, gaps }) => ({ id: cell.id, value: gaps.stallMs, prediction: predictionOf(plan, ids.stall(cell.id)) }))),
    bandLeg(`stalls within ${100 * close} % of the prediction`, source, closeOnes.length, predictionOf(plan, ids.closeStalls))
  ] as const
  // Beside version 1 not every kernel has pressure by group, so that none was predicted.
  const full = seen.map(({ cell }) => ({ id: cell.id, value: fullPerPeriodMs(views, cell), prediction: predictionOf(plan, ids.cpuFull(cell.id)) }))
  const isVersion1 = views.some(({ block }) => block.evidence.group?.version === 'v1')
  if (isVersion1 && full.every(({ prediction }) => prediction === undefined)) return allOf(stalls)
  return allOf([...stalls, cellsLeg('cpu pressure “full” for each throttled period, ms, beyond that without quota', 'cpu.pressure and cpu.stat of the group', full)])
}
