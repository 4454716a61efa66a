/** Legs of claims about a fight for CPUs whose conditions differ from plan to plan. */
import type { Leg, Plan, StreamsPlan } from '../../types.js'
import { bothOf, middleOfPairs, ratioOf, type Figure } from '../contention.js'
import type { StreamsView } from '../streams-summary.js'
import { legsOf } from './checks.js'
import { bandLeg, predictionOf } from './leg.js'
import { queueOf, rivalChecks, sourceAtPace } from './streams-checks.js'

export function rivalLegs (plan: StreamsPlan, views: readonly StreamsView[]): Leg[] {
  return legsOf(rivalChecks, plan, views, [])
}

export function queueLeg (plan: Plan, views: readonly StreamsView[], what: string, condition: string, id: string): Leg {
  const { value, source } = queueOf(views, condition)
  return bandLeg(`share of its time in run queues, ${what}`, source, value, predictionOf(plan, id))
}

/** b ÷ a. */
export function ratioLeg (plan: Plan, views: readonly StreamsView[], what: string, source: string, [a, b]: readonly [string, string], figure: Figure, id: string): Leg {
  return bandLeg(what, figure.withPace === undefined ? source : sourceAtPace(source, views), middleOfPairs(views, a, b, ratioOf(figure)), predictionOf(plan, id), bothOf(views, a, b, figure))
}
