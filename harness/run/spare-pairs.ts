import { pairsOfOneMachine } from '../analyse/machine.js'
import type { Block, BlockPlan, OpenLoopPlan } from '../types.js'

export interface SpareRun {
  /** All finished blocks of the run, read back. */
  readonly measured: () => Promise<readonly Block[]>
  /** @returns false after an abort */
  readonly run: (block: BlockPlan) => Promise<boolean>
  readonly note: (text: string) => void
}

/** For each pair that met unlike machines a spare one, as far as there are any, with arrivals of its own. What was measured stays, and the report says what was left out. */
export async function runSparePairs (plan: OpenLoopPlan, { measured, run, note }: SpareRun): Promise<void> {
  const spare = plan.spare?.blocks ?? []
  const wanted = plan.blocks.length / plan.conditions.length
  for (const pair of new Set(spare.map(block => block.pair))) {
    const lacking = wanted - pairsOfOneMachine(plan, await measured())
    if (lacking <= 0) return
    note(`${lacking} of ${wanted} pairs still lacking, since their two blocks met unlike machines: a spare pair is run`)
    for (const block of spare.filter(each => each.pair === pair)) {
      if (!await run(block)) return
    }
  }
}
