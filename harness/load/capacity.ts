import type { CallSample } from '../types.js'

export type CapacityCall = Pick<CallSample, 'sentMs' | 'doneMs' | 'outcome' | 'chunks' | 'reason'>

export interface CapacityEstimate {
  /** Answers per second of the server while all clients were busy. */
  readonly answersPerSecond: number
  /** Content chunks per second in the same window. */
  readonly chunksPerSecond: number
  /** The window, monotonic milliseconds. */
  readonly fromMs: number
  readonly toMs: number
  /** Answers that lie in the window, parts of answers included. */
  readonly answers: number
}

/** The reason of calls that were under way when a closed loop had enough. */
export const ENOUGH = 'enough'

/** What became of the calls under way when a closed loop had enough: today's give them up; runs whose plan names no `capacityCalls` let them finish. */
export type LastCalls = 'given up' | 'let finish'

/**
 * Capacity from a closed loop, counted by `partsInside`. The window begins when the first call of each client (cold) is over. It ends with the
 * loop: until then there were as many calls as clients. Those given up then have no length of their own; the mean of the answered
 * ones stands in. A call that was not answered for another reason took a place and counts nothing. Where the last calls were let finish the window ends before the first call that saw the load fall.
 * Undefined when that leaves no answer: the loop was too short.
 */
export function estimateCapacity (calls: readonly CapacityCall[], clients: number, last: LastCalls = 'given up'): CapacityEstimate | undefined {
  const byStart = [...calls].sort((a, b) => a.sentMs - b.sentMs)
  if (byStart.length <= clients) return undefined
  const fromMs = Math.max(...byStart.slice(0, clients).map(({ doneMs }) => doneMs))
  const givenUp = byStart.filter(({ outcome, reason }) => outcome === 'unanswered' && reason === ENOUGH)
  const toMs = last === 'given up' ? Math.max(...byStart.map(({ doneMs }) => doneMs)) : beforeLoadFell(byStart)
  const counted = byStart.filter(({ outcome, doneMs }) => outcome === 'answered' && doneMs > fromMs).map(call => ({ fromMs: call.sentMs, toMs: call.doneMs, chunks: call.chunks }))
  if (toMs <= fromMs || counted.length === 0) return undefined

  const meanMs = counted.reduce((sum, life) => sum + life.toMs - life.fromMs, 0) / counted.length
  const meanChunks = counted.reduce((sum, { chunks }) => sum + chunks, 0) / counted.length
  const parts = givenUp.reduce((sum, { sentMs }) => sum + Math.max(0, toMs - Math.max(sentMs, fromMs)) / meanMs, 0)
  const answers = partsInside(counted, fromMs, toMs) + parts
  const chunks = partsInside(counted, fromMs, toMs, ({ chunks }) => chunks) + parts * meanChunks
  if (answers === 0) return undefined
  const seconds = (toMs - fromMs) / 1000
  return { answersPerSecond: answers / seconds, chunksPerSecond: chunks / seconds, fromMs, toMs, answers }
}

/** Every call that was started by then ended while there were as many under way as clients. */
function beforeLoadFell (byStart: readonly CapacityCall[]): number {
  const lastStartMs = byStart.at(-1)?.sentMs ?? 0
  return Math.min(...byStart.filter(({ doneMs }) => doneMs > lastStartMs).map(({ sentMs }) => sentMs), lastStartMs)
}

export interface Life {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * How many of these lives fall into a window, each counted with the part of it that lies inside (times `weight`, default 1). Over the window's
 * length that is their rate: unbiased for a stationary flow, whatever the lives' lengths (Campbell's formula: each life's parts over all windows sum
 * to 1). Unlike a count of beginnings or of ends it does not care where bursts of them (llama-server's slots begin and end as one) fall against the
 * window's ends. Lives of no length count nothing.
 */
export function partsInside<L extends Life> (lives: readonly L[], fromMs: number, toMs: number, weight: (life: L) => number = () => 1): number {
  let sum = 0
  for (const life of lives) {
    const insideMs = Math.min(life.toMs, toMs) - Math.max(life.fromMs, fromMs)
    if (insideMs > 0) sum += weight(life) * insideMs / (life.toMs - life.fromMs)
  }
  return sum
}
