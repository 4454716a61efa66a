import type { Block, CallSample, OpenLoopWorkload, OsSample } from '../types.js'

/** Calls of the load that were intended in [judgedFromMs, judgedToMs), in that order. */
export function judgedCalls (block: Block): readonly CallSample[] {
  const { judgedFromMs, judgedToMs } = block.evidence
  return block.calls
    .filter(call => call.phase === 'load' && call.intendedMs >= judgedFromMs && call.intendedMs < judgedToMs)
    .sort((a, b) => a.intendedMs - b.intendedMs || a.seq - b.seq)
}

/** OS samples taken in the judged window, in order of time. */
export function judgedSamples (block: Block): readonly OsSample[] {
  const { judgedFromMs, judgedToMs } = block.evidence
  return samplesBetween(block, judgedFromMs, judgedToMs)
}

/** OS samples taken in [fromMs, toMs], in order of time. */
export function samplesBetween (block: Block, fromMs: number, toMs: number): readonly OsSample[] {
  return block.samples
    .filter(sample => sample.atMs >= fromMs && sample.atMs <= toMs)
    .sort((a, b) => a.atMs - b.atMs)
}

export function judgedSeconds (block: Block): number {
  return (block.evidence.judgedToMs - block.evidence.judgedFromMs) / 1000
}

/** Milliseconds from the intended time to the first content; undefined unless the call was answered. */
export function scheduledTtftMs (call: CallSample): number | undefined {
  return call.outcome === 'answered' && call.firstMs !== undefined ? call.firstMs - call.intendedMs : undefined
}

export function limitMs (workload: OpenLoopWorkload, cls: string): number {
  const limit = workload.ttftLimitMs[cls]
  if (limit === undefined) {
    throw new Error(`a call has class '${cls}', for which the plan has no ttftLimitMs (it has ${Object.keys(workload.ttftLimitMs).join(', ')}): the calls are of another plan`)
  }
  return limit
}

/** Answered completely, first content within the limit of its class. */
export function isGood (call: CallSample, workload: OpenLoopWorkload): boolean {
  const ttftMs = scheduledTtftMs(call)
  return ttftMs !== undefined && ttftMs <= limitMs(workload, call.cls)
}

/** Content chunks (one per token) of a phase's calls that arrived in [fromMs, toMs), whatever became of the call. */
export function tokensBetween (calls: readonly CallSample[], fromMs: number, toMs: number, phase: CallSample['phase'] = 'load'): number {
  let tokens = 0
  for (const call of calls) {
    if (call.phase !== phase || call.firstMs === undefined) continue
    if (call.firstMs >= toMs || (call.lastMs ?? call.doneMs) < fromMs) continue
    let atMs = call.firstMs
    if (atMs >= fromMs) tokens++
    for (const gapMs of call.itlMs) {
      atMs += gapMs
      if (atMs >= toMs) break
      if (atMs >= fromMs) tokens++
    }
  }
  return tokens
}

/** Median by nearest rank, without a floor: for readings of gauges, not for latencies. Null when empty. */
export function middle (values: readonly number[]): number | null {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null
}
