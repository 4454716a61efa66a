import type { BlockSummary, CallSample, Result } from '../types.js'

/** Judged calls by condition, outcome and reason, over all blocks, invalid ones included: an error is never hidden by a gate. */
export function countsOf (conditions: readonly string[], views: readonly { readonly judged: readonly CallSample[], readonly summary: BlockSummary }[]): Result['counts'] {
  const counts = new Map<string, Result['counts'][number]>()
  for (const { judged, summary } of views) {
    for (const call of judged) {
      const reason = call.reason ?? ''
      const key = `${String(conditions.indexOf(summary.condition)).padStart(3, '0')} ${call.outcome} ${reason}`
      counts.set(key, { condition: summary.condition, outcome: call.outcome, reason, n: (counts.get(key)?.n ?? 0) + 1 })
    }
  }
  return [...counts].sort(([a], [b]) => a < b ? -1 : 1).map(([, count]) => count)
}
