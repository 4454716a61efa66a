import type { Block, CallSample, OpenLoopBlockSummary, OpenLoopWorkload, OsSample } from '../types.js'
import { nearestRank, percentiles } from '../stats/percentile.js'
import { partsInside } from '../load/capacity.js'
import { capacityPerSecond } from './capacity.js'
import { isGood, judgedCalls, judgedSamples, judgedSeconds, samplesBetween, scheduledTtftMs, tokensBetween } from './window.js'

/** A block with what is derived from it alone. */
export interface OpenLoopView {
  readonly block: Block
  readonly judged: readonly CallSample[]
  /** Good calls in the judged window. */
  readonly good: number
  /** Good answers while the judged window lasted, by the parts of their lives inside it (from the intended time), as the capacity beside them is counted. */
  readonly goodParts: number
  readonly seconds: number
  /** Scheduled TTFT of the answered calls among `judged`, milliseconds, in their order. */
  readonly ttftMs: readonly number[]
  /** sent − intended of `judged`, milliseconds, ascending. */
  readonly dispatchDelayMs: Float64Array
  /** `valid` is set by the gate, which needs the whole condition. */
  readonly summary: OpenLoopBlockSummary
}

/**
 * offered, good: by intended time in the judged window. answered, tokens: by the time they came in the judged window, so
 * that they are rates of the server and compare with its capacity. Percentiles of one block have floors on n, not on
 * n_eff: they are repeated over blocks.
 */
export function summarise (block: Block, workload: OpenLoopWorkload): OpenLoopView {
  const { plan, judgedFromMs, judgedToMs } = block.evidence
  const seconds = judgedSeconds(block)
  if (!(seconds > 0)) throw new Error(`block ${plan.index} (${plan.condition}): judged window from ${judgedFromMs} to ${judgedToMs} ms is empty; it must end after it starts`)
  const judged = judgedCalls(block)
  const good = judged.filter(call => isGood(call, workload)).length
  const lives = block.calls.filter(call => call.phase === 'load' && isGood(call, workload)).map(call => ({ fromMs: call.intendedMs, toMs: call.doneMs }))
  const goodParts = partsInside(lives, judgedFromMs, judgedToMs)
  const capacity = capacityPerSecond(block, workload)
  const ttftMs = judged.flatMap(call => scheduledTtftMs(call) ?? [])
  const ttft = percentiles(ttftMs, ttftMs.length)
  const answered = block.calls.filter(call => call.phase === 'load' && call.outcome === 'answered' && call.doneMs >= judgedFromMs && call.doneMs < judgedToMs)
  const dispatchDelayMs = Float64Array.from(judged, call => call.sentMs - call.intendedMs).sort()
  return {
    block,
    judged,
    good,
    goodParts,
    seconds,
    ttftMs,
    dispatchDelayMs,
    summary: {
      index: plan.index,
      pair: plan.pair,
      condition: plan.condition,
      capacityPerSecond: capacity,
      offeredPerSecond: judged.length / seconds,
      answeredPerSecond: answered.length / seconds,
      goodPerSecond: good / seconds,
      goodPerCapacity: capacity > 0 ? goodParts / seconds / capacity : 0,
      ttftAnsweredP50Ms: ttft.p50,
      ttftAnsweredP95Ms: ttft.p95,
      tokensPerSecond: tokensBetween(block.calls, judgedFromMs, judgedToMs) / seconds,
      serverCpuUsecPerToken: cpuPerToken(block),
      closedLoopCpuUsecPerToken: cpuPerTokenOfClosedLoops(block),
      dispatchDelayP95Ms: nearestRank(dispatchDelayMs, 0.95) ?? 0,
      samplerCpuShare: samplerShare(block),
      valid: true
    }
  }
}

/** Between the first and the last reading of the process's CPU time in the judged window; null without two readings or tokens. */
export function cpuPerToken (block: Block): number | null {
  return cpuPerTokenIn(block, judgedSamples(block), 'load')
}

/**
 * The same in the closed loops straight at llama-server, where no policy acts: what the machine itself needs. Over whole loops; in runs that did
 * not read their ends, between the first and the last sample in the loop, which is a half of it.
 * @param most of its loops, the first ones
 */
export function cpuPerTokenOfClosedLoops (block: Block, most = Infinity): number | null {
  const loops = (block.evidence.closedLoops ?? []).slice(0, most)
  let [cpuUsec, tokens] = [0, 0]
  for (const { fromMs, toMs, serverCpuUsec } of loops) {
    if (serverCpuUsec === undefined) return loops.length > 1 ? null : cpuPerTokenIn(block, samplesBetween(block, fromMs, toMs), 'capacity')
    cpuUsec += serverCpuUsec
    tokens += tokensBetween(block.calls, fromMs, toMs, 'capacity')
  }
  return tokens > 0 ? cpuUsec / tokens : null
}

function cpuPerTokenIn (block: Block, samples: readonly OsSample[], phase: CallSample['phase']): number | null {
  const readings = samples.flatMap(({ atMs, process }) => process === undefined ? [] : [{ atMs, cpuUsec: process.cpuUsec }])
  const first = readings[0]
  const last = readings[readings.length - 1]
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null
  const tokens = tokensBetween(block.calls, first.atMs, last.atMs, phase)
  return tokens > 0 ? (last.cpuUsec - first.cpuUsec) / tokens : null
}

/** The sampler's own CPU time ÷ wall time; 0 without two samples. */
export function samplerShare (block: Block): number {
  const samples = judgedSamples(block)
  const first = samples[0]
  const last = samples[samples.length - 1]
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
  return (last.samplerCpuUsec - first.samplerCpuUsec) / 1000 / (last.atMs - first.atMs)
}
