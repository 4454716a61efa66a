import { createHash } from 'node:crypto'
import type { PlanDraft } from '../analyse/claims/contract.js'
import { claimEntry } from '../analyse/claims/index.js'
import type { Condition, Design, Manifest, OpenLoopPlan, Plan, StreamsPlan } from '../types.js'
import { blocksInOrder } from './order.js'
import type { Preset } from './presets.js'

/** What every plan is made of, whatever its load. */
export interface PlanInput {
  readonly experiment: string
  readonly question: string
  readonly preset: Preset
  readonly repeats: number
  readonly seed: number
  readonly design: Design
  readonly conditions: readonly Condition[]
  readonly quiet: boolean
  readonly effects: readonly string[]
  readonly claims: readonly string[]
  readonly createdAt: string
}

/** The part of a plan that does not depend on its load. */
export function headOfPlan (input: PlanInput) {
  const { experiment, question, preset, seed, design, conditions, quiet, effects, claims, createdAt } = input
  return {
    schemaVersion: 2 as const,
    experiment,
    question,
    preset: preset.name,
    seed,
    design,
    conditions,
    quiet,
    effects,
    claims,
    blocks: blocksInOrder(design, idsOf(conditions, false), input.repeats, seed, idsOf(conditions, true)),
    alpha: 0.05,
    createdAt
  }
}

function idsOf (conditions: readonly Condition[], probes: boolean): string[] {
  return conditions.filter(({ probe }) => (probe !== undefined) === probes).map(({ id }) => id)
}

/** Names the bands of the plan's claims: after this nothing is added. */
export function withPredictions (draft: Omit<OpenLoopPlan, 'predictions'>, manifest: Manifest): OpenLoopPlan
export function withPredictions (draft: Omit<StreamsPlan, 'predictions'>, manifest: Manifest): StreamsPlan
export function withPredictions (draft: PlanDraft, manifest: Manifest): Plan {
  return { ...draft, predictions: draft.claims.flatMap(id => claimEntry(id).predictions(draft, manifest)) }
}

/** The bytes of plan.json; their hash ties a result to what was named before the run. */
export function planBytes (plan: Plan): { readonly bytes: string, readonly sha256: string } {
  const bytes = JSON.stringify(plan, null, 2) + '\n'
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}
