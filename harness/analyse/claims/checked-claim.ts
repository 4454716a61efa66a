/** A claim whose legs are tables of numbers and bands. */
import type { Claim, Contrast, Plan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import type { StreamsView } from '../streams-summary.js'
import { legOf, predictedBy, type Checks } from './checks.js'
import type { ClaimEntry, Findings, PlanDraft } from './contract.js'
import { bandText, withStatus } from './leg.js'

/** @typeParam V a block with what is derived from it */
export interface CheckedClaim<V> {
  readonly id: string
  readonly statement: string
  /** With its interference left out; absent: there is no such run. */
  readonly quietStatement?: string
  readonly explanation: string
  readonly application: Checks<V>
  readonly os: Checks<V>
  readonly control: Checks<V>
  readonly mechanism: Checks<V>
}

/** About calls that come when they come. */
export function openLoopEntry (claim: CheckedClaim<OpenLoopView>): ClaimEntry {
  return openLoopEntryOf(claim.id, () => claim)
}

/** What is claimed follows from the plan: its load, and what its conditions are. */
export function openLoopEntryOf (id: string, claimFor: (draft: PlanDraft) => CheckedClaim<OpenLoopView>): ClaimEntry {
  return entryOf(id, claimFor, 'open-loop', ({ openLoop }) => openLoop)
}

/** About clients that ask again when they were answered. */
export function streamsEntry (claim: CheckedClaim<StreamsView>): ClaimEntry {
  return entryOf(claim.id, () => claim, 'streams', ({ streams }) => streams)
}

function entryOf<V> (id: string, claimFor: (draft: PlanDraft) => CheckedClaim<V>, kind: Plan['workload']['kind'], viewsOf: (findings: Findings) => readonly V[]): ClaimEntry {
  return {
    id,
    predictions (draft, manifest) {
      if (draft.workload.kind !== kind) return []
      const { application, os, control, mechanism } = claimFor(draft)
      return predictedBy([...application, ...os, ...control, ...mechanism], draft, manifest)
    },
    claims: (plan, _blocks, findings) => plan.workload.kind === kind ? [claimOf(claimFor(plan), plan, viewsOf(findings), findings.contrasts)] : []
  }
}

function claimOf<V> ({ id, statement, quietStatement, explanation, ...tables }: CheckedClaim<V>, plan: Plan, views: readonly V[], contrasts: readonly Contrast[]): Claim {
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
