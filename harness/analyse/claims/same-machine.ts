import type { OpenLoopView } from '../block-summary.js'
import { pairedPace } from '../machine.js'
import { withToWithout, type OpenLoopCheck } from './open-loop-checks.js'

/** Of the CPU time per token that llama-server takes in a block's own closed loop, one arm ÷ the other. */
export const SAME_MACHINE = [1 / 1.1, 1.1] as const

/** The rival "the machine was faster", as a control. @param what goes on after `CPU time per token in the block's closed loops, ` */
export function sameMachine (what: string, band: readonly [number, number] = SAME_MACHINE): OpenLoopCheck {
  return {
    id: 'closed-loop-cpu',
    metric: 'closed-loop-cpu-per-token',
    what: `CPU time per token in the block's closed loops, ${what}`,
    source: '/proc/PID/stat of llama-server and content chunks of the load generator',
    value: (views, plan, contrasts) => pacedBy(views).value(views, plan, contrasts),
    compared: (views, plan, contrasts) => pacedBy(views).compared(views, plan, contrasts),
    band: () => band,
    quiet: SAME_MACHINE
  }
}

function pacedBy (views: readonly OpenLoopView[]): ReturnType<typeof withToWithout> {
  const pace = pairedPace(views.map(({ block }) => block))
  return withToWithout(({ block }) => pace(block))
}
