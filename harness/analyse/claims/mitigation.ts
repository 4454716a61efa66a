/** The claim of a mitigation in a comparison of streams: a table of numbers and their bands, for the setting that it cures and for the quiet host. */
import type { Claim, Contrast, Leg, Plan, Prediction } from '../../types.js'
import type { StreamsView } from '../streams-summary.js'
import { isStreams } from '../plan-kind.js'
import { legOf, predictedBy, type Check as CheckOf } from './checks.js'
import type { ClaimEntry } from './contract.js'
import { allOf, bandLeg, contrastLeg, missingLeg, predictionOf, unbounded } from './leg.js'

export type Check = CheckOf<StreamsView>

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
    predictions: (draft, manifest) => [gainPrediction(mitigation, draft.quiet), ...predictedBy(checksOf(mitigation), draft, manifest)],
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

function claimOf (mitigation: Mitigation, plan: Plan, views: readonly StreamsView[], contrasts: readonly Contrast[]): Claim {
  const legs = {
    application: gainLeg(mitigation, plan, contrasts),
    os: legOf(mitigation.os, plan, views, contrasts),
    control: legOf(mitigation.control, plan, views, contrasts),
    mechanism: legOf(mitigation.mechanism, plan, views, contrasts)
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
  if (contrast === undefined || contrast.ci95 === null) return missingLeg(statement, source, contrast?.because || 'not measured')
  return allOf([contrastLeg(statement, source, contrast, 'ratio', gain), ...contrast.ci95.map((end, i) => bandLeg(`${i === 0 ? 'lower' : 'upper'} end of its interval`, source, end, gain))])
}
