import type { Test } from 'tap'
import type { Claim, Evidence, Leg } from '../../types.js'
import { analyse } from '../analyse.js'

/** The first claim that the shipped analysis makes of this evidence. For tests only. */
export function claim (evidence: Evidence): Claim {
  const found = analyse(evidence, { cells: false }).claims[0]
  if (found === undefined) throw new Error('no claim')
  return found
}

export function legs ({ application, os, control, mechanism }: Claim): Record<string, Leg['status']> {
  return { application: application.status, os: os.status, control: control.status, mechanism: mechanism.status }
}

/** What `legs` gives of a supported claim. */
export const all = { application: 'holds', os: 'holds', control: 'holds', mechanism: 'holds' } as const

/** What was not predicted before the run does not count: whichever band is taken away, a leg that goes by it is missing, and the claim unsupported. For tests only. */
export function needsEveryPrediction (t: Test, evidence: Evidence): void {
  for (const gone of evidence.plan.predictions) {
    const predictions = evidence.plan.predictions.filter(prediction => prediction !== gone)
    const found = claim({ ...evidence, plan: { ...evidence.plan, predictions } })
    t.equal(found.status, 'UNSUPPORTED', gone.id)
    t.equal(Object.values(legs(found)).filter(status => status === 'missing').length, 1, `${gone.id}: one leg`)
  }
}
