import type { Arm } from '../types.js'
import { nearestRank } from '../stats/percentile.js'
import type { BlockView } from './block-summary.js'

/**
 * Client honesty: the p95 of sent − intended over an arm must be ≤ max(5 ms, 1 % of the arm's TTFT p50). Where it is
 * not, the blocks that are themselves over that are invalid and leave all contrasts; so is a block without calls.
 */
export function gated (views: readonly BlockView[]): BlockView[] {
  const gates: Readonly<Record<Arm, Gate>> = { before: gateOf(views, 'before'), after: gateOf(views, 'after') }
  return views.map(view => {
    const because = reasonAgainst(view, gates[view.summary.arm])
    return because === undefined ? view : { ...view, summary: { ...view.summary, valid: false, because } }
  })
}

interface Gate { readonly allowedMs: number, readonly armDelayMs: number }

function gateOf (views: readonly BlockView[], arm: Arm): Gate {
  const ofThisArm = views.filter(view => view.summary.arm === arm)
  return {
    allowedMs: Math.max(5, 0.01 * quantile(ofThisArm.flatMap(view => view.ttftMs), 0.5)),
    armDelayMs: quantile(ofThisArm.flatMap(view => [...view.dispatchDelayMs]), 0.95)
  }
}

function reasonAgainst (view: BlockView, { allowedMs, armDelayMs }: Gate): string | undefined {
  if (view.judged.length === 0) return 'no call was sent in the judged window'
  const ownMs = view.summary.dispatchDelayP95Ms
  if (armDelayMs <= allowedMs || ownMs <= allowedMs) return undefined
  return `the load generator sent late: p95 of sent − intended is ${ownMs.toFixed(1)} ms here and ${armDelayMs.toFixed(1)} ms over the arm, allowed ${allowedMs.toFixed(1)} ms; give it a CPU of its own or offer less`
}

function quantile (values: readonly number[], q: number): number {
  return nearestRank(Float64Array.from(values).sort(), q) ?? 0
}

export function ofArm (views: readonly BlockView[], arm: Arm): BlockView[] {
  return views.filter(view => view.summary.arm === arm && view.summary.valid)
}

export interface ViewPair { readonly pair: number, readonly before: BlockView, readonly after: BlockView }

/** Pairs of which both blocks are there and valid, by pair number. */
export function pairsOf (views: readonly BlockView[]): ViewPair[] {
  const after = new Map(ofArm(views, 'after').map(view => [view.summary.pair, view]))
  return ofArm(views, 'before')
    .flatMap(view => {
      const mate = after.get(view.summary.pair)
      return mate === undefined ? [] : [{ pair: view.summary.pair, before: view, after: mate }]
    })
    .sort((a, b) => a.pair - b.pair)
}
