import type { Plan } from '../types.js'

export interface Treated {
  /** Baseline and treated condition. */
  readonly a: string
  readonly b: string
  /** Ends the ids of its contrasts; empty but in a sweep. */
  readonly suffix: string
}

/** The pairs of conditions whose ratios are judged. Of a 2×2 that is nothing against both: its two halves are told by the main effects. */
export function judgedPairs (plan: Plan): Treated[] {
  const all = plan.conditions.flatMap(({ id, baseline }) => baseline === undefined ? [] : [{ a: baseline, b: id }])
  const judged = plan.design === 'factorial' ? all.slice(-1) : all
  return judged.map(pair => ({ ...pair, suffix: plan.design === 'sweep' ? `:${pair.b}` : '' }))
}
