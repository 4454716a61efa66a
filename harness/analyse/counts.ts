import type { Result } from '../types.js'
import type { BlockView } from './block-summary.js'

/** Judged calls by arm, outcome and reason, over all blocks, invalid ones included: an error is never hidden by a gate. */
export function countsOf (views: readonly BlockView[]): Result['counts'] {
  const counts = new Map<string, Result['counts'][number]>()
  for (const { judged, summary } of views) {
    for (const call of judged) {
      const reason = call.reason ?? ''
      const key = `${summary.arm === 'before' ? 0 : 1} ${call.outcome} ${reason}`
      counts.set(key, { condition: summary.arm, outcome: call.outcome, reason, n: (counts.get(key)?.n ?? 0) + 1 })
    }
  }
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([, count]) => count)
}
