import type { CallSample } from '../types.js'
import type { LoadCounts, LoadSummary } from './job.js'

/** Counts calls while they run. */
export interface Tally {
  onSend (): void
  onSample (sample: CallSample): void
  counts (): LoadCounts
  dispatchDelayMs (): LoadSummary['dispatchDelayMs']
}

export function createTally (): Tally {
  const counts = { sent: 0, answered: 0, refused: 0, failed: 0, unanswered: 0 }
  const delaysMs: number[] = []
  return {
    onSend () { counts.sent++ },
    onSample ({ outcome, sentMs, intendedMs }) {
      counts[outcome]++
      delaysMs.push(sentMs - intendedMs)
    },
    counts: () => ({ ...counts }),
    dispatchDelayMs () {
      const sorted = delaysMs.toSorted((a, b) => a - b)
      const max = sorted.at(-1)
      if (max === undefined) return null
      const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? max
      return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99), max }
    }
  }
}
