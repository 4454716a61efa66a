import { nearestRank } from '../stats/percentile.js'
import type { OpenLoopView } from './block-summary.js'
import type { BlockSummary } from '../types.js'

/**
 * Client honesty: the p95 of sent − intended over a condition must be ≤ max(5 ms, 1 % of its TTFT p50). Where it is
 * not, the blocks that are themselves over that are invalid and leave all contrasts; so is a block without calls.
 */
export function gated (views: readonly OpenLoopView[]): OpenLoopView[] {
  const gates = new Map<string, Gate>()
  return views.map(view => {
    const { condition } = view.summary
    const gate = gates.get(condition) ?? gateOf(views, condition)
    gates.set(condition, gate)
    const because = reasonAgainst(view, gate)
    return because === undefined ? view : { ...view, summary: { ...view.summary, valid: false, because } }
  })
}

interface Gate { readonly allowedMs: number, readonly delayMs: number }

function gateOf (views: readonly OpenLoopView[], condition: string): Gate {
  const own = views.filter(view => view.summary.condition === condition)
  return {
    allowedMs: Math.max(5, 0.01 * quantile(own.flatMap(view => view.ttftMs), 0.5)),
    delayMs: quantile(own.flatMap(view => [...view.dispatchDelayMs]), 0.95)
  }
}

function reasonAgainst (view: OpenLoopView, { allowedMs, delayMs }: Gate): string | undefined {
  if (view.judged.length === 0) return 'no call was sent in the judged window'
  const ownMs = view.summary.dispatchDelayP95Ms
  if (delayMs <= allowedMs || ownMs <= allowedMs) return undefined
  return `the load generator sent late: p95 of sent − intended is ${ownMs.toFixed(1)} ms here and ${delayMs.toFixed(1)} ms over the condition, allowed ${allowedMs.toFixed(1)} ms; give it a CPU of its own or offer less`
}

function quantile (values: readonly number[], q: number): number {
  return nearestRank(Float64Array.from(values).sort(), q) ?? 0
}

interface Summarised { readonly summary: BlockSummary }

/** Valid blocks of a condition. */
export function ofCondition<V extends Summarised> (views: readonly V[], condition: string): V[] {
  return views.filter(view => view.summary.condition === condition && view.summary.valid)
}

/** Blocks of the same repeat in two conditions. */
export interface ViewPair<V> { readonly pair: number, readonly a: V, readonly b: V }

/** Pairs of which both blocks are there and valid, by pair number. */
export function pairsOf<V extends Summarised> (views: readonly V[], a: string, b: string): ViewPair<V>[] {
  const mates = new Map(ofCondition(views, b).map(view => [view.summary.pair, view]))
  return ofCondition(views, a)
    .flatMap(view => {
      const mate = mates.get(view.summary.pair)
      return mate === undefined ? [] : [{ pair: view.summary.pair, a: view, b: mate }]
    })
    .sort((x, y) => x.pair - y.pair)
}
