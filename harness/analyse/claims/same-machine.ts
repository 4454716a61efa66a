import type { OpenLoopView } from '../block-summary.js'
import { withToWithout, type OpenLoopCheck } from './open-loop-claim.js'

/**
 * Bands of the CPU time per token that llama-server takes in a block's own closed loop, one arm ÷ the other: the rival "the machine was faster". Two virtual CPUs change their
 * speed by up to a third from block to block (README); pairs cancel most of that, and a few pairs leave about a tenth. A claim of a factor (two and more) is safe from a machine
 * that is a quarter faster; a claim about a tenth is not.
 */
export const SAME_MACHINE = { forAFactor: [0.8, 1.25], forATenth: [1 / 1.1, 1.1] } as const

/** The control of a claim about calls. On the quiet host, where the claim is `equivalent`, it is always that of a tenth. @param what begins after `CPU time per token in the closed loop before the load, ` */
export function sameMachine (what: string, band: readonly [number, number]): OpenLoopCheck {
  return {
    id: 'closed-loop-cpu',
    metric: 'closed-loop-cpu-per-token',
    what: `CPU time per token in the closed loop before the load, ${what}`,
    source: '/proc/PID/stat of llama-server and content chunks of the load generator',
    value: views => withToWithout(views, closedLoopCpu),
    band: () => band,
    quiet: SAME_MACHINE.forATenth
  }
}

function closedLoopCpu ({ summary }: OpenLoopView): number | null {
  return summary.closedLoopCpuUsecPerToken
}
