import { ALIKE_CALLS, type FairShare } from './fair-share.js'

export interface OrderOptions {
  /** By priority class first, 0 before 1. */
  readonly priority: boolean
  /** Then the caller that was served least, by its weight. */
  readonly fair: boolean
  /** Then, among the calls of one caller (of all, without `fair`): as they came, or the shortest prompt first. */
  readonly order: 'fifo' | 'shortest-prefill'
  /** Nothing starves: with each such wait, milliseconds, a call moves up a class; after the first one it no longer stands back for shorter ones. */
  readonly agingMs: number
}

/** What the order of the line depends on. */
export interface Orderable {
  readonly caller: string
  readonly weight: number
  readonly priority: number
  readonly atMs: number
  readonly prefillTokens: number
  /** Tokens that it will be charged with under `fair`. */
  readonly charge: number
}

/**
 * Counters below which callers are alike: all of them are so far behind the one that was served most that it cannot be what keeps them waiting. Who of them was served least lately is chance, and to
 * order them by it makes the longest waits longer; so they go as they came.
 */
function alikeBelow (line: readonly Orderable[], share: FairShare): number {
  const highest = Math.max(...line.map(({ caller }) => share.counter(caller)))
  return highest - ALIKE_CALLS * line.reduce((sum, { charge, weight }) => sum + charge / weight, 0) / line.length
}

/** The line in the order in which it would start now: priority → fairness → order in a caller. Ties go as they came. */
export function inOrder<W extends Orderable> (line: readonly W[], options: OrderOptions, share: FairShare, atMs: number): readonly W[] {
  const { priority, fair, order, agingMs } = options
  if (line.length < 2 || (!priority && !fair && order === 'fifo')) return line
  const classOf = (waiting: W): number => priority ? Math.max(0, waiting.priority - Math.floor((atMs - waiting.atMs) / agingMs)) : 0
  const lengthOf = (waiting: W): number => order === 'fifo' || atMs - waiting.atMs >= agingMs ? 0 : waiting.prefillTokens
  const placed = line.map((waiting, index) => ({ waiting, index, cls: classOf(waiting), length: lengthOf(waiting), tag: 0 }))
  placed.sort((a, b) => a.cls - b.cls || a.length - b.length || a.index - b.index)
  if (fair) {
    // What each would be charged with at its start raises its caller's counter for the next: so callers take turns in the line as they will when it moves.
    const counters = new Map<string, number>()
    const alike = alikeBelow(line, share)
    for (const each of placed) {
      const { caller, charge, weight } = each.waiting
      const counter = counters.get(caller) ?? share.counter(caller)
      each.tag = Math.max(counter, alike)
      counters.set(caller, counter + charge / weight)
    }
    placed.sort((a, b) => a.cls - b.cls || a.tag - b.tag || a.length - b.length || a.index - b.index)
  }
  return placed.map(({ waiting }) => waiting)
}
