import type { CostModel } from './cost-model.js'
import type { Running } from './schedule-entry.js'

export interface TurnOptions {
  /** Share of the time that long prompts get while others decode; the rest is theirs. Above 0, at most 1. */
  readonly share: number
  /** Longest pause between two chunks of a prompt, whatever else wants the server, milliseconds. */
  readonly maxPauseMs: number
}

/** A long prompt whose next chunk could go. */
export interface Paused {
  /** Since when it stands still: its start, or the end of its last chunk. */
  readonly sinceMs: number
}

/** The chunk before, of whichever prompt. */
export interface LastChunk {
  readonly endedAtMs: number
  readonly tookMs: number
}

/** What else upstream works on. */
export interface Company {
  /** Calls beside the long prompts that stand still. */
  readonly others: number
  /** When the last of the whole prompts that are in prefill now is expected to have its first token; -Infinity when none is. Its first byte, when it comes sooner, asks again. */
  readonly prefillsUntilMs: number
}

/**
 * When the next chunk may go, monotonic milliseconds; not later than now: at once. Alone it goes at once. Beside calls that decode it leaves them as much time as `share`
 * says; while the prompt of another call is evaluated it waits, since both in one batch would make that call's first token late by the chunk; and it never stands still
 * for longer than `maxPauseMs`, so that it ends however many others come.
 */
export function chunkDueAtMs ({ sinceMs }: Paused, last: LastChunk | undefined, { others, prefillsUntilMs }: Company, { share, maxPauseMs }: TurnOptions): number {
  if (others === 0) return sinceMs
  const fairAtMs = last === undefined ? sinceMs : last.endedAtMs + last.tookMs * (1 / share - 1)
  return Math.min(sinceMs + maxPauseMs, Math.max(sinceMs, fairAtMs, prefillsUntilMs))
}

/** A prompt in prefill counts as over when it took so much longer than predicted: the first byte of an answer that is not streamed is not told. */
const LATE = 1.5

/** @param fed tells which calls are fed in chunks themselves */
export function companyBeside (running: Iterable<Running>, fed: { has (id: string): boolean }, costs: CostModel, atMs: number): Company {
  let others = 0
  let prefillsUntilMs = -Infinity
  for (const { id, work, company, startedAtMs, firstByteAtMs } of running) {
    if (fed.has(id)) continue
    others++
    if (firstByteAtMs !== undefined) continue
    const untilMs = startedAtMs + LATE * costs.firstByteMs(work, company, atMs)
    if (untilMs > atMs) prefillsUntilMs = Math.max(prefillsUntilMs, untilMs)
  }
  return { others, prefillsUntilMs }
}
