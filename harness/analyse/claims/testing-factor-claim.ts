import type { Test } from 'tap'
import type { Evidence, Leg } from '../../types.js'
import { all, claim, legs } from './testing.js'

type Statuses = Record<string, Leg['status']>

/** Every band that is taken away makes just its own leg missing, and the claim unsupported. For tests only. */
export function needsEveryPrediction (t: Test, evidence: Evidence): void {
  for (const gone of evidence.plan.predictions) {
    const predictions = evidence.plan.predictions.filter(prediction => prediction !== gone)
    const found = claim({ ...evidence, plan: { ...evidence.plan, predictions } })
    t.equal(found.status, 'UNSUPPORTED', gone.id)
    t.equal(Object.values(legs(found)).filter(status => status === 'missing').length, 1, `${gone.id}: one leg`)
  }
}

/** All legs hold but these. */
export function but (statuses: Partial<Statuses>): Statuses {
  return { ...all, ...statuses }
}
