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
 * Capacity from a closed loop whose last calls were let finish. Each answered call counts with the part of its life that lies in
 * the window. By the renewal-reward theorem that is unbiased for stationary service (an interval that covers a given moment is
 * length-biased, and the length-biased mean of 1/length is 1/mean), and unlike counting completions it does not care where
 * bursts of completions (a batch ends as one) fall against the window's ends.
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

  let answers = 0
  let chunks = 0
  for (const call of byStart) {
    if (call.outcome !== 'answered') continue
    const insideMs = Math.min(call.doneMs, toMs) - Math.max(call.sentMs, fromMs)
    if (insideMs <= 0) continue
    const part = insideMs / (call.doneMs - call.sentMs)
    answers += part
    chunks += part * call.chunks
  }
  if (answers === 0) return undefined
  const seconds = (toMs - fromMs) / 1000
  return { answersPerSecond: answers / seconds, chunksPerSecond: chunks / seconds, fromMs, toMs, answers }
}
