import type { Block, Evidence, OpenLoopPlan } from '../types.js'
import { simulate } from './testing.js'
import { tokensBetween } from './window.js'

interface Paced {
  readonly planned: number
  readonly spare: number
  /** CPU time of a token, by index of the block; 20 in all others. */
  readonly msPerToken: Readonly<Record<number, number>>
  /** The same of a second closed loop, in the blocks that have one. */
  readonly again?: Readonly<Record<number, number>>
}

/** A simulated comparison with spare pairs, all of them run, on a machine that has another pace in some blocks. For tests only. */
export function pacedRun ({ planned, spare, msPerToken, again = {} }: Paced): Evidence & { readonly plan: OpenLoopPlan } {
  const evidence = simulate({ pairs: planned + spare })
  const { blocks } = evidence.plan
  return {
    ...evidence,
    plan: { ...evidence.plan, blocks: blocks.slice(0, 2 * planned), ...(spare === 0 ? {} : { spare: { machineWithin: 1.2, blocks: blocks.slice(2 * planned) } }) },
    blocks: evidence.blocks.map(block => {
      const { index } = block.evidence.plan
      const second = again[index]
      return paced(block, [msPerToken[index] ?? 20, ...(second === undefined ? [] : [second])])
    })
  }
}

/** All of its closed loops are the same calls. */
function paced (block: Block, loopsMsPerToken: readonly number[]): Block {
  const [loop] = block.evidence.closedLoops ?? []
  const closedLoops = loop === undefined ? [] : loopsMsPerToken.map(ms => ({ ...loop, serverCpuUsec: 1000 * ms * tokensBetween(block.calls, loop.fromMs, loop.toMs, 'capacity') }))
  return { ...block, evidence: { ...block.evidence, closedLoops } }
}
