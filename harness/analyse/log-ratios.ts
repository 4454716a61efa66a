import type { Plan } from '../types.js'
import { signFlip } from '../stats/signflip.js'
import type { Measured } from './verdict.js'

/** Geometric mean ratio with the inverted sign-flip interval at 1 − plan.alpha. */
export function measuredOf (logRatios: readonly number[], plan: Plan, unit: string): Measured {
  const { n, mean, p, interval } = signFlip(logRatios, plan.alpha, plan.seed)
  const spread = n < 2 ? undefined : Math.sqrt(logRatios.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1))
  return { n, unit, ratio: Math.exp(mean), interval: interval === null ? null : [Math.exp(interval[0]), Math.exp(interval[1])], p, spread }
}
