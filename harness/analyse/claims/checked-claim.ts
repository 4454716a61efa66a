/** A claim whose legs are tables of numbers and bands. */
import type { Claim, Contrast, Prediction } from '../../types.js'
import { isOpenLoop, isStreams } from '../plan-kind.js'
import { legOf, predictedBy, type Check, type Checks } from './checks.js'
import type { ClaimEntry, Kind, OfOpenLoop, OfStreams, OpenLoopDraft } from './contract.js'
import { bandText, withStatus } from './leg.js'

export interface CheckedClaim<K extends Kind> {
  readonly id: string
  readonly statement: string
  /** With its interference left out; absent: there is no such run. */
  readonly quietStatement?: string
  readonly explanation: string
  readonly application: Checks<K>
  readonly os: Checks<K>
  readonly control: Checks<K>
  readonly mechanism: Checks<K>
}

/** About calls that come when they come. */
export function openLoopEntry (claim: CheckedClaim<OfOpenLoop>): ClaimEntry {
  return openLoopEntryOf(claim.id, () => claim)
}

/**
 * What is claimed follows from the plan: its load, and what its conditions are.
 * @param claimFor its second argument is what the plan predicted, where a run is judged: a stored one may have predicted otherwise than a run of today would
 */
export function openLoopEntryOf (id: string, claimFor: (draft: OpenLoopDraft, predicted?: readonly Prediction[]) => Omit<CheckedClaim<OfOpenLoop>, 'id'>): ClaimEntry {
  return {
    id,
    predictions: (draft, manifest) => isOpenLoop(draft) ? predictedBy(checksOf(claimFor(draft)), draft, manifest) : [],
    claims: (plan, _blocks, { openLoop, contrasts }) => isOpenLoop(plan) ? [claimOf({ ...claimFor(plan, plan.predictions), id }, plan, openLoop, contrasts)] : []
  }
}

/** About clients that ask again when they were answered. */
export function streamsEntry (claim: CheckedClaim<OfStreams>): ClaimEntry {
  return {
    id: claim.id,
    predictions: (draft, manifest) => isStreams(draft) ? predictedBy(checksOf(claim), draft, manifest) : [],
    claims: (plan, _blocks, { streams, contrasts }) => isStreams(plan) ? [claimOf(claim, plan, streams, contrasts)] : []
  }
}

function checksOf<K extends Kind> ({ application, os, control, mechanism }: Omit<CheckedClaim<K>, 'id'>): ReadonlyArray<Check<K>> {
  return [...application, ...os, ...control, ...mechanism]
}

function claimOf<K extends Kind> ({ id, statement, quietStatement, explanation, ...tables }: CheckedClaim<K>, plan: K['plan'], views: ReadonlyArray<K['view']>, contrasts: readonly Contrast[]): Claim {
  const legs = {
    application: legOf(tables.application, plan, views, contrasts),
    os: legOf(tables.os, plan, views, contrasts),
    control: legOf(tables.control, plan, views, contrasts),
    mechanism: legOf(tables.mechanism, plan, views, contrasts)
  }
  const predicted = plan.predictions.filter(prediction => tables.application.some(check => check.id === prediction.id))
  return withStatus({
    id: plan.quiet ? `${id}-quiet` : id,
    statement: plan.quiet && quietStatement !== undefined ? quietStatement : statement,
    predicted: predicted.map(prediction => `${prediction.statement}: ${bandText(prediction)}`).join('; ') || 'nothing was predicted before the run',
    ...legs,
    explanation
  })
}
