import type { CallSample } from '../types.js'

export type CapacityCall = Pick<CallSample, 'sentMs' | 'doneMs' | 'outcome' | 'chunks'>

export interface CapacityEstimate {
  /** Answers per second of the server while all clients were busy. */
  readonly answersPerSecond: number
  /** Content chunks per second in the same window. */
  readonly chunksPerSecond: number
  /** The window, monotonic milliseconds: from the end of the first round to the last time after which every call ended under full load. */
  readonly fromMs: number
  readonly toMs: number
  /** Answers that lie in the window, parts of answers included. */
  readonly answers: number
}

/**
 * Capacity from a closed loop whose last calls were let finish, counted by `partsInside`.
 *
 * The window leaves out the first call of each client (cold) and everything that ended after the last call was started
 * (fewer calls than clients were under way, so it ran faster). Undefined when that leaves no answer: the loop was too short.
 */
export function estimateCapacity (calls: readonly CapacityCall[], clients: number): CapacityEstimate | undefined {
  const byStart = [...calls].sort((a, b) => a.sentMs - b.sentMs)
  const lastStartMs = byStart.at(-1)?.sentMs
  if (lastStartMs === undefined || byStart.length <= clients) return undefined
  const fromMs = Math.max(...byStart.slice(0, clients).map(({ doneMs }) => doneMs))
  const toMs = Math.min(...byStart.filter(({ doneMs }) => doneMs > lastStartMs).map(({ sentMs }) => sentMs), lastStartMs)
  if (toMs <= fromMs) return undefined

  const answered = byStart.filter(({ outcome }) => outcome === 'answered').map(call => ({ fromMs: call.sentMs, toMs: call.doneMs, chunks: call.chunks }))
  const answers = partsInside(answered, fromMs, toMs)
  const chunks = partsInside(answered, fromMs, toMs, ({ chunks }) => chunks)
  if (answers === 0) return undefined
  const seconds = (toMs - fromMs) / 1000
  return { answersPerSecond: answers / seconds, chunksPerSecond: chunks / seconds, fromMs, toMs, answers }
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
