import type { Block, OpenLoopPlan } from '../types.js'
import { cpuPerTokenOfClosedLoops, type OpenLoopView } from './block-summary.js'

/**
 * CPU time per token in the closed loops that all blocks of a pair have: behind an overload the second one is missing, and a loop on a server that has worked for a while is not held against
 * one on a fresh server.
 * @param blocks of all pairs
 */
export function pairedPace (blocks: readonly Block[]): (block: Block) => number | null {
  const loops = new Map<number, number>()
  for (const { evidence: { plan, closedLoops = [] } } of blocks) loops.set(plan.pair, Math.min(loops.get(plan.pair) ?? Infinity, closedLoops.length))
  return block => cpuPerTokenOfClosedLoops(block, loops.get(block.evidence.plan.pair))
}

/** Pairs whose blocks met unlike machines, with how unlike. A pair that lacks a block, or its reading, is none of them. */
function unlikePairs ({ spare }: OpenLoopPlan, blocks: readonly Block[]): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  if (spare === undefined) return found
  const pace = pairedPace(blocks)
  const seen = new Map<number, number[]>()
  for (const block of blocks) {
    const usec = pace(block)
    if (usec !== null && usec > 0) seen.set(block.evidence.plan.pair, [...seen.get(block.evidence.plan.pair) ?? [], usec])
  }
  for (const [pair, usec] of seen) {
    const ratio = Math.max(...usec) / Math.min(...usec)
    if (ratio > spare.machineWithin) found.set(pair, ratio)
  }
  return found
}

/** Both blocks of such a pair are invalid, and so is one whose spare pair was not finished. */
export function ofOneMachine (plan: OpenLoopPlan, views: readonly OpenLoopView[]): OpenLoopView[] {
  const unlike = unlikePairs(plan, views.map(({ block }) => block))
  const spare = new Set(plan.spare?.blocks.map(({ pair }) => pair))
  return views.map(view => {
    const { pair, valid } = view.summary
    const ratio = unlike.get(pair)
    const alone = spare.has(pair) && views.filter(other => other.summary.pair === pair).length < plan.conditions.length
    return !valid || (ratio === undefined && !alone) ? view : { ...view, summary: { ...view.summary, valid: false, because: ratio === undefined ? `spare pair ${pair} was not finished` : becauseOf(pair, ratio) } }
  })
}

function becauseOf (pair: number, ratio: number): string {
  return `pair ${pair} met unlike machines: CPU time per token in the closed loops of one of its blocks is ${ratio.toFixed(2)} times that of the other`
}

/** Pairs that are whole and met one machine: as many as the plan has are wanted. */
export function pairsOfOneMachine (plan: OpenLoopPlan, blocks: readonly Block[]): number {
  const unlike = unlikePairs(plan, blocks)
  const pairs = blocks.map(({ evidence }) => evidence.plan.pair).filter(pair => !unlike.has(pair))
  return new Set(pairs.filter(pair => pairs.filter(each => each === pair).length === plan.conditions.length)).size
}
