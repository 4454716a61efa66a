import { isOpenLoop } from '../analyse/plan-kind.js'
import { blockSeconds, streamsSeconds } from '../plan/duration.js'
import { workloadOf } from '../plan/condition-workload.js'
import { offeredText } from '../plan/offered.js'
import type { BlockPlan, Manifest, Plan } from '../types.js'
import type { BlockStep } from './block.js'

interface Step {
  readonly text: string
  /** Of the whole run, when this step begins. */
  readonly share: number
}

/** Blocks of the run as far as it is known: while a spare pair runs its two blocks are the last ones. */
export function blocksOf (plan: Plan, block: BlockPlan): number {
  return Math.max(plan.blocks.length, block.index > plan.blocks.length ? block.pair * plan.conditions.length : 0)
}

/** What a block does now, and how much of the run is done then. */
export function stepsOf (plan: Plan, block: BlockPlan, manifest: Pick<Manifest, 'model' | 'server'>): Readonly<Record<BlockStep, Step>> {
  if (isOpenLoop(plan)) {
    const seconds = blockSeconds(plan)
    const share = (secondsIn: number): number => (block.index - 1 + secondsIn / seconds.whole) / blocksOf(plan, block)
    return {
      start: { text: 'start llama-server and gateway', share: share(0) },
      capacity: { text: 'capacity, closed loop at full slots', share: share(seconds.capacity) },
      load: { text: `load, ${offeredText(plan.workload)}`, share: share(seconds.load) },
      'capacity again': { text: 'capacity again', share: share(seconds.again) }
    }
  }
  const secondsOf = (blocks: readonly BlockPlan[]): number => blocks.reduce((sum, each) => sum + streamsSeconds(plan, each, manifest), 0)
  const share = secondsOf(plan.blocks.filter(each => each.index < block.index)) / secondsOf(plan.blocks)
  const { clients, calls, atLeastSeconds, predictTokens } = workloadOf(plan.workload, plan.conditions.find(({ id }) => id === block.condition) ?? {})
  return {
    start: { text: 'start llama-server, apply and read back the knobs', share },
    capacity: { text: 'warm-up', share },
    'capacity again': { text: 'capacity again', share },
    load: { text: `${clients * calls} ${atLeastSeconds === undefined ? '' : 'or more '}streams of ${predictTokens} tokens`, share }
  }
}
