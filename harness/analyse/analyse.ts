import type { Block, Condition, Evidence, OpenLoopPlan, OpenLoopResult, Result, StreamsPlan, StreamsResult } from '../types.js'
import { summarise } from './block-summary.js'
import { cellsOf } from './cells.js'
import type { Findings } from './claims/contract.js'
import { claimEntry } from './claims/index.js'
import { contrastsOf } from './contrasts.js'
import { countsOf } from './counts.js'
import { gated } from './gate.js'
import { ofOneMachine } from './machine.js'
import { ofPlan } from './of-plan.js'
import { explainedOf } from './join/of-run.js'
import { isOpenLoop } from './plan-kind.js'
import { streamsCells } from './streams-cells.js'
import { streamsContrasts } from './streams-contrasts.js'
import { summariseStreams } from './streams-summary.js'
import { toolFindings, toolWarnings } from './tool-findings.js'
import { openLoopWarnings, streamsWarnings } from './warnings.js'

export interface AnalyseOptions {
  /** false: no cells, no join with the samples, and so no bootstrap of single metrics; contrasts, claims and verdicts are the same. Default true. */
  readonly cells?: boolean
}

/**
 * Evidence → Result. Pure and deterministic: resampling is seeded by the plan, and the order in which the blocks are
 * given does not matter. Missing blocks make it `complete: false`, never an error; blocks which the plan does not know
 * are left out with a warning.
 * @throws when the evidence contradicts the plan (a class without limit, an empty window)
 */
export function analyse (evidence: Evidence, { cells = true }: AnalyseOptions = {}): Result {
  const { blocks, warnings } = ofPlan(evidence.plan, evidence.blocks)
  const known = { ...evidence, blocks }
  const result = isOpenLoop(evidence.plan) ? openLoopResult(evidence.plan, known, cells) : streamsResult(evidence.plan, known, cells)
  return { ...result, warnings: [...warnings, ...result.warnings] }
}

function openLoopResult (plan: OpenLoopPlan, evidence: Evidence, withCells: boolean): OpenLoopResult {
  const views = ofOneMachine(plan, gated(evidence.blocks.map(block => summarise(block, plan.workload))))
  const cells = withCells ? cellsOf(plan, views) : []
  const contrasts = contrastsOf(plan, views)
  const summaries = views.map(({ summary, block }) => ({ ...summary, ...toolFindings(plan, block) }))
  return {
    ...headOf(evidence),
    workload: plan.workload,
    cells,
    contrasts,
    claims: claimsOf(evidence, { openLoop: views, streams: [], cells, contrasts }),
    ...explainedIf(withCells, evidence, views),
    counts: countsOf(plan.conditions.map(({ id }) => id), views),
    blocks: summaries,
    warnings: [...openLoopWarnings(evidence, views, cells), ...toolWarnings(evidence.blocks, summaries)]
  }
}

function streamsResult (plan: StreamsPlan, evidence: Evidence, withCells: boolean): StreamsResult {
  const views = evidence.blocks.map(summariseStreams)
  const cells = withCells ? streamsCells(plan, views) : []
  const contrasts = streamsContrasts(plan, views)
  const summaries = views.map(({ summary, block }) => ({ ...summary, ...toolFindings(plan, block) }))
  return {
    ...headOf(evidence),
    workload: plan.workload,
    cells,
    contrasts,
    claims: claimsOf(evidence, { openLoop: [], streams: views, cells, contrasts }),
    ...explainedIf(withCells, evidence, views),
    counts: countsOf(plan.conditions.map(({ id }) => id), views),
    blocks: summaries,
    warnings: [...streamsWarnings(evidence, views, cells), ...toolWarnings(evidence.blocks, summaries)]
  }
}

function explainedIf (wanted: boolean, evidence: Evidence, views: ReadonlyArray<{ readonly block: Block, readonly summary: { readonly valid: boolean } }>): Pick<Result, 'explained'> {
  return wanted ? { explained: explainedOf(evidence, views.filter(({ summary }) => summary.valid).map(({ block }) => block)) } : {}
}

function headOf ({ plan, planSha256, manifest, blocks }: Evidence) {
  return {
    schemaVersion: 2 as const,
    experiment: plan.experiment,
    question: plan.question,
    preset: plan.preset,
    planSha256,
    complete: plan.blocks.every(({ index }) => blocks.some(({ evidence }) => evidence.plan.index === index)),
    manifest,
    design: plan.design,
    conditions: withProbedLimits(plan.conditions, blocks),
    quiet: plan.quiet,
    effects: plan.effects,
    outcomes: plan.outcomes
  }
}

/** A step of a search has its limit from the blocks before it: its dose is known only now. */
function withProbedLimits (conditions: readonly Condition[], blocks: readonly Block[]): Condition[] {
  return conditions.map(condition => {
    const limitBytes = condition.probe === undefined ? undefined : blocks.find(({ evidence }) => evidence.plan.condition === condition.id)?.evidence.groupCountersAtEnd?.['memory.max']
    return limitBytes === undefined ? condition : { ...condition, factors: { limitMiB: Math.round(limitBytes / 1024 ** 2 * 100) / 100, ...condition.factors } }
  })
}

function claimsOf ({ plan, blocks }: { readonly plan: Evidence['plan'], readonly blocks: readonly Block[] }, findings: Findings) {
  return plan.claims.flatMap(id => claimEntry(id).claims(plan, blocks, findings))
}
