/** The claim of a mitigation in a comparison of streams: a table of numbers and their bands, for the setting that it cures and for the quiet host. */
import type { Claim, Contrast, Leg, Manifest, Plan, Prediction } from '../../types.js'
import type { StreamsView } from '../streams-summary.js'
import { isStreams } from '../plan-kind.js'
import { number } from '../verdict.js'
import type { ClaimEntry, PlanDraft } from './index.js'
import { allOf, bandLeg, missingLeg, predictionOf, unbounded } from './leg.js'

type Band = readonly [lo: number, hi: number]

export interface Check {
  readonly id: string
  readonly metric: string
  readonly what: string
  readonly source: string
  readonly value: (views: readonly StreamsView[], plan: Plan) => number | null
  /** Undefined: it cannot be predicted from this calibration, and its leg will be missing. */
  readonly band: (draft: PlanDraft, manifest: Manifest) => Band | undefined
  /** On the quiet host; absent: the same. `null`: nothing is asked there. */
  readonly quiet?: Band | null
}

export interface Mitigation {
  readonly id: string
  readonly statement: string
  readonly explanation: string
  /** The primary outcome, with ÷ without; at least a tenth better under the setting, inside a tenth on the quiet host. */
  readonly primary: { readonly metric: string, readonly better: 'higher' | 'lower' }
  readonly os: readonly [Check, ...Check[]]
  readonly control: readonly [Check, ...Check[]]
  readonly mechanism: readonly [Check, ...Check[]]
}

const matters = 1.1
const gainId = 'gain'

export function mitigationEntry (mitigation: Mitigation): ClaimEntry {
  return {
    id: mitigation.id,
    predictions: (draft, manifest) => [gainPrediction(mitigation, draft.quiet), ...checksOf(mitigation).flatMap(check => predicted(check, draft, manifest))],
    claims: (plan, _blocks, { streams, contrasts }) => isStreams(plan) ? [claimOf(mitigation, plan, streams, contrasts)] : []
  }
}

function checksOf ({ os, control, mechanism }: Mitigation): Check[] {
  return [...os, ...control, ...mechanism]
}

function gainPrediction ({ primary: { metric, better } }: Mitigation, quiet: boolean): Prediction {
  if (quiet) return { id: gainId, metric, statement: 'on the quiet host it changes nothing: the whole interval of with ÷ without is inside a tenth', lo: 1 / matters, hi: matters }
  return better === 'higher'
    ? { id: gainId, metric, statement: 'the whole interval of with ÷ without is a tenth or more above 1', lo: matters, hi: unbounded }
    : { id: gainId, metric, statement: 'the whole interval of with ÷ without is a tenth or more below 1', lo: 0, hi: 1 / matters }
}

function predicted (check: Check, draft: PlanDraft, manifest: Manifest): Prediction[] {
  const band = draft.quiet && check.quiet !== undefined ? check.quiet : check.band(draft, manifest)
  return band === undefined || band === null ? [] : [{ id: check.id, metric: check.metric, statement: check.what, lo: band[0], hi: band[1] }]
}

function claimOf (mitigation: Mitigation, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  const legs = {
    application: gainLeg(mitigation, plan, contrasts),
    os: legOf(mitigation.os, plan, views),
    control: legOf(mitigation.control, plan, views),
    mechanism: legOf(mitigation.mechanism, plan, views)
  }
  const gain = predictionOf(plan, gainId)
  return {
    id: mitigation.id,
    statement: plan.quiet ? `On the quiet host ${mitigation.id} changes nothing` : mitigation.statement,
    predicted: gain?.statement ?? 'nothing was predicted before the run',
    status: Object.values(legs).every(leg => leg.status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED',
    ...legs,
    explanation: mitigation.explanation
  }
}

/** The whole interval, not only its middle. */
function gainLeg ({ primary: { metric } }: Mitigation, plan: Plan, contrasts: readonly Contrast[]): Leg {
  const [statement, source] = [`${metric}, with ÷ without`, 'load generator (calls.ndjson)']
  const contrast = contrasts.find(each => each.metric === metric && each.primary)
  const gain = predictionOf(plan, gainId)
  if (contrast === undefined || contrast.ci95 === null) return missingLeg(statement, source, contrast?.because ?? 'not measured')
  return allOf([bandLeg(`${statement}, ${number(contrast.ci95[0])} to ${number(contrast.ci95[1])}`, source, contrast.ratio, gain), ...contrast.ci95.map((end, i) => bandLeg(i === 0 ? 'lower end' : 'upper end', source, end, gain))])
}

/** What is not asked on the quiet host is left out there; what could not be predicted is missing. */
function legOf (checks: readonly [Check, ...Check[]], plan: Plan, views: readonly StreamsView[]): Leg {
  const [first, ...rest] = checks.filter(check => !(plan.quiet && check.quiet === null)).map(check => bandLeg(check.what, check.source, check.value(views, plan), predictionOf(plan, check.id)))
  return first === undefined ? missingLeg('nothing is asked', 'the claim', 'on the quiet host') : allOf([first, ...rest])
}
