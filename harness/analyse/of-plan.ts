import type { Block, BlockPlan, Plan } from '../types.js'
import { isOpenLoop } from './plan-kind.js'

/** The planned ones, then the spare ones. */
function allBlocks (plan: Plan): readonly BlockPlan[] {
  return isOpenLoop(plan) ? [...plan.blocks, ...plan.spare?.blocks ?? []] : plan.blocks
}

/**
 * The blocks that the plan knows, in run order.
 * @throws when one is there twice
 */
export function ofPlan (plan: Plan, blocks: readonly Block[]): { blocks: Block[], warnings: string[] } {
  const kept = new Map<number, Block>()
  const warnings: string[] = []
  const known = allBlocks(plan)
  for (const block of blocks) {
    const { index, condition, pair, traceSeed } = block.evidence.plan
    const planned = known.find(one => one.index === index)
    if (planned === undefined) warnings.push(`block ${index} (${condition}) is not in the plan and is left out`)
    else if (planned.condition !== condition || planned.pair !== pair || planned.traceSeed !== traceSeed) warnings.push(`block ${index} says condition ${condition}, pair ${pair}, seed ${traceSeed}; the plan says condition ${planned.condition}, pair ${planned.pair}, seed ${planned.traceSeed}: it is left out`)
    else if (kept.has(index)) throw new Error(`block ${index} (${condition}) is there twice; remove one of the two from the evidence`)
    else kept.set(index, block)
  }
  return { blocks: [...kept.values()].sort((a, b) => a.evidence.plan.index - b.evidence.plan.index), warnings: warnings.sort() }
}
