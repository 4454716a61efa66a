import type { Block, BlockSummary, CallSample, Workload } from '../types.js'
import { nearestRank, percentiles } from '../stats/percentile.js'
import { slope } from '../stats/slope.js'
import { capacityPerSecond } from './capacity.js'
import { isGood, judgedCalls, judgedSamples, judgedSeconds, scheduledTtftMs, tokensBetween } from './window.js'

/** A block with what is derived from it alone. */
export interface BlockView {
  readonly block: Block
  readonly judged: readonly CallSample[]
  /** Good calls in the judged window. */
  readonly good: number
  readonly seconds: number
  /** Growth of the calls that were sent and are not over, calls per second; null when nothing was sent. */
  readonly backlogPerSecond: number | null
  /** `valid` is set by the gate, which needs the whole arm. */
  readonly summary: BlockSummary
}

/**
 * offered, good: by intended time in the judged window. answered, tokens: by the time they came in the judged window, so
 * that they are rates of the server and compare with its capacity. Percentiles of one block have floors on n, not on
 * n_eff: they are repeated over blocks.
 */
export function summarise (block: Block, workload: Workload): BlockView {
  const { plan, judgedFromMs, judgedToMs } = block.evidence
  const seconds = judgedSeconds(block)
  if (!(seconds > 0)) throw new Error(`block ${plan.index} (${plan.arm}): judged window from ${judgedFromMs} to ${judgedToMs} ms is empty; it must end after it starts`)
  const judged = judgedCalls(block)
  const good = judged.filter(call => isGood(call, workload)).length
  const capacity = capacityPerSecond(block.calls, workload)
  const ttft = percentilesOf(judged)
  const answered = block.calls.filter(call => call.phase === 'load' && call.outcome === 'answered' && call.doneMs >= judgedFromMs && call.doneMs < judgedToMs)
  const delays = Float64Array.from(judged, call => call.sentMs - call.intendedMs).sort()
  return {
    block,
    judged,
    good,
    seconds,
    backlogPerSecond: backlogSlope(block),
    summary: {
      index: plan.index,
      pair: plan.pair,
      arm: plan.arm,
      capacityPerSecond: capacity,
      offeredPerSecond: judged.length / seconds,
      answeredPerSecond: answered.length / seconds,
      goodPerSecond: good / seconds,
      goodPerCapacity: capacity > 0 ? good / seconds / capacity : 0,
      ttftAnsweredP50Ms: ttft.p50,
      ttftAnsweredP95Ms: ttft.p95,
      tokensPerSecond: tokensBetween(block.calls, judgedFromMs, judgedToMs) / seconds,
      serverCpuUsecPerToken: cpuPerToken(block),
      dispatchDelayP95Ms: nearestRank(delays, 0.95) ?? 0,
      samplerCpuShare: samplerShare(block),
      valid: true
    }
  }
}

function percentilesOf (judged: readonly CallSample[]): { p50: number | null, p95: number | null } {
  const values = judged.flatMap(call => scheduledTtftMs(call) ?? [])
  return percentiles(values, values.length)
}

/** Between the first and the last reading of the process's CPU time in the judged window; null without two readings or tokens. */
function cpuPerToken (block: Block): number | null {
  const readings = judgedSamples(block).flatMap(({ atMs, process }) => process === undefined ? [] : [{ atMs, cpuUsec: process.cpuUsec }])
  const first = readings[0]
  const last = readings[readings.length - 1]
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null
  const tokens = tokensBetween(block.calls, first.atMs, last.atMs)
  return tokens > 0 ? (last.cpuUsec - first.cpuUsec) / tokens : null
}

/** The sampler's own CPU time ÷ wall time; 0 without two samples. */
function samplerShare (block: Block): number {
  const samples = judgedSamples(block)
  const first = samples[0]
  const last = samples[samples.length - 1]
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
  return (last.samplerCpuUsec - first.samplerCpuUsec) / 1000 / (last.atMs - first.atMs)
}

/** Least-squares slope of the backlog, read at 50 even times over the judged window. */
function backlogSlope (block: Block): number | null {
  const { judgedFromMs, judgedToMs } = block.evidence
  const load = block.calls.filter(call => call.phase === 'load')
  if (load.length === 0) return null
  const times = Array.from({ length: 50 }, (_, i) => judgedFromMs + (i + 0.5) * (judgedToMs - judgedFromMs) / 50)
  const sent = Float64Array.from(load, call => call.sentMs).sort()
  const done = Float64Array.from(load, call => call.doneMs).sort()
  const backlog = times.map(atMs => countUpTo(sent, atMs) - countUpTo(done, atMs))
  return slope(times.map(atMs => atMs / 1000), backlog)
}

function countUpTo (sorted: Float64Array, limit: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const half = (from + to) >> 1
    if (sorted[half]! <= limit) from = half + 1
    else to = half
  }
  return from
}
