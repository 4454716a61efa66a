import type { Block, Plan } from '../types.js'

/**
 * The blocks that the plan knows, in run order.
 * @throws when one is there twice
 */
export function ofPlan (plan: Plan, blocks: readonly Block[]): { blocks: Block[], warnings: string[] } {
  const kept = new Map<number, Block>()
  const warnings: string[] = []
  for (const block of blocks) {
    const { index, arm, pair, traceSeed } = block.evidence.plan
    const planned = plan.blocks.find(one => one.index === index)
    if (planned === undefined) warnings.push(`block ${index} (${arm}) is not in the plan and is left out`)
    else if (planned.arm !== arm || planned.pair !== pair || planned.traceSeed !== traceSeed) warnings.push(`block ${index} says arm ${arm}, pair ${pair}, seed ${traceSeed}; the plan says arm ${planned.arm}, pair ${planned.pair}, seed ${planned.traceSeed}: it is left out`)
    else if (kept.has(index)) throw new Error(`block ${index} (${arm}) is there twice; remove one of the two from the evidence`)
    else kept.set(index, block)
  }
  return { blocks: [...kept.values()].sort((a, b) => a.evidence.plan.index - b.evidence.plan.index), warnings: warnings.sort() }
}
