import { bytesOf } from '../../knobs/values.js'
import type { Condition, Plan } from '../../types.js'

/** Bytes per second that `io-max` leaves to reads; undefined without a limit. */
export function rateOf ({ knobs }: Pick<Condition, 'knobs'>): number | undefined {
  const value = knobs.flatMap(knob => /^io-max=.*\brbps=(\w+)/.exec(knob)?.[1] ?? [])[0]
  return value === undefined ? undefined : bytesOf('io-max=rbps', value, 1)
}

/** Of the first condition that has one. */
export function diskRate ({ conditions }: Pick<Plan, 'conditions'>): number | undefined {
  return conditions.flatMap(condition => rateOf(condition) ?? [])[0]
}
