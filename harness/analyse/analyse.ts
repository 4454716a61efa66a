import type { Evidence, Result } from '../types.js'
import { summarise } from './block-summary.js'
import { cellsOf } from './cells.js'
import { admissionClaim } from './claims/admission.js'
import { contrastsOf } from './contrasts.js'
import { countsOf } from './counts.js'
import { gated } from './gate.js'
import { ofPlan } from './of-plan.js'
import { warningsOf } from './warnings.js'

export interface AnalyseOptions {
  /** false: no cells and so no bootstrap of single metrics; contrasts, claims and verdicts are the same. Default true. */
  readonly cells?: boolean
}

/**
 * Evidence → Result. Pure and deterministic: resampling is seeded by the plan, and the order in which the blocks are
 * given does not matter. Missing blocks make it `complete: false`, never an error; blocks which the plan does not know
 * are left out with a warning.
 * @throws when the evidence contradicts the plan (a class without limit, an empty window)
 */
export function analyse (evidence: Evidence, options: AnalyseOptions = {}): Result {
  const { plan, manifest } = evidence
  const { blocks, warnings } = ofPlan(plan, evidence.blocks)
  const views = gated(blocks.map(block => summarise(block, plan.workload)))
  const cells = options.cells === false ? [] : cellsOf(views, plan.workload)
  const contrasts = contrastsOf(plan, views)
  const claimed = plan.conditions.some(condition => condition.id === 'after' && condition.policies.includes('admission'))
  return {
    schemaVersion: 1,
    experiment: plan.experiment,
    question: plan.question,
    preset: plan.preset,
    planSha256: evidence.planSha256,
    complete: blocks.length === plan.blocks.length,
    manifest,
    conditions: plan.conditions,
    outcomes: plan.outcomes,
    workload: plan.workload,
    cells,
    contrasts,
    claims: claimed ? [admissionClaim(plan, views, contrasts)] : [],
    counts: countsOf(views),
    blocks: views.map(view => view.summary),
    warnings: [...warnings, ...warningsOf({ ...evidence, blocks }, views, cells)]
  }
}
