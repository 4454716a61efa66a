import type { OpenLoopView } from '../block-summary.js'
import { pairedPace } from '../machine.js'
import { contrastCheck } from './checks.js'
import { withToWithout, type OpenLoopCheck } from './open-loop-checks.js'
import { PROC_AND_TOKENS } from './sources.js'

/** Of the CPU time per token that llama-server takes in a block's own closed loop, one arm ÷ the other. */
export const SAME_MACHINE = [1 / 1.1, 1.1] as const

/** The rival "the machine was faster", as a control. @param what goes on after `CPU time per token in the block's closed loops, ` */
export function sameMachine (what: string, band: readonly [number, number] = SAME_MACHINE): OpenLoopCheck {
  return {
    id: 'closed-loop-cpu',
    metric: 'closed-loop-cpu-per-token',
    what: `CPU time per token in the block's closed loops, ${what}`,
    source: PROC_AND_TOKENS,
    value: (views, plan, contrasts) => pacedBy(views).value(views, plan, contrasts),
    compared: (views, plan, contrasts) => pacedBy(views).compared(views, plan, contrasts),
    band: () => band,
    quiet: SAME_MACHINE
  }
}

/** The same of all blocks together, as the report's contrast has it. */
export const sameMachineByContrast: OpenLoopCheck = contrastCheck('closed-loop-cpu-per-token', 'ratio', {
  id: 'closed-loop-cpu',
  what: 'CPU time per generated token in the closed loops of a block, with ÷ without: the machine was as fast in both arms',
  source: PROC_AND_TOKENS,
  band: () => SAME_MACHINE
})

function pacedBy (views: readonly OpenLoopView[]): ReturnType<typeof withToWithout> {
  const pace = pairedPace(views.map(({ block }) => block))
  return withToWithout(({ block }) => pace(block))
}
