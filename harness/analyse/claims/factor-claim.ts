/** The claim of a factor's sweep: numbers of its conditions, each against a band from the calibration. */
import type { Claim, Leg, Manifest, Plan, Prediction, StreamsPlan } from '../../types.js'
import { isStreams } from '../plan-kind.js'
import type { StreamsView } from '../streams-summary.js'
import { number } from '../verdict.js'
import { cellsLeg } from './cells-leg.js'
import { predictedBy, type Band } from './checks.js'
import { rivalLegs } from './contention-legs.js'
import type { ClaimEntry, StreamsDraft } from './contract.js'
import { allOf, missingLeg, predictionOf, unbounded, withStatus, type Compared } from './leg.js'
import { rivalChecks, sourceAtPace } from './streams-checks.js'

/** One number of one condition, or of what conditions are to each other. */
export interface FactorCell {
  /** A condition's id, or two and what stands between them. */
  readonly id: string
  readonly value: (views: readonly StreamsView[]) => number | null
  /** Where it compares two conditions. */
  readonly compared?: (views: readonly StreamsView[]) => Compared
  /** Undefined: it cannot be predicted from this calibration, and its leg will be missing. */
  readonly band: Band | undefined
  /** The blocks that it compares are each taken at their own pace. */
  readonly atPace?: true
}

/** The same figure of several conditions. */
export interface FactorFigure {
  /** Ids of its predictions are this, a colon, and the cell's. */
  readonly id: string
  readonly metric: string
  readonly what: string
  readonly source: string
  readonly cells: readonly FactorCell[]
}

export interface FactorLegs {
  readonly application: readonly FactorFigure[]
  readonly os: readonly FactorFigure[]
  readonly mechanism: readonly FactorFigure[]
  readonly control: readonly FactorFigure[]
}

/** Of a plan that has not the conditions that a claim asks for. */
export const noLegs: FactorLegs = { application: [], os: [], mechanism: [], control: [] }

export interface FactorClaim {
  readonly id: string
  readonly statement: string
  readonly explanation: string
  /** Whether time stolen, throttled or lost to page faults would be a rival: not where one of them is the claim. */
  readonly rivals: boolean
  /** Before the run with the manifest; to judge it without, when no band is asked for any more. */
  readonly legs: (draft: StreamsDraft, manifest: Manifest | undefined) => FactorLegs
}

/** One claim or more of one run; their figures have ids of their own. */
export function factorEntry (id: string, claims: readonly FactorClaim[]): ClaimEntry {
  return {
    id,
    predictions: (draft, manifest) => isStreams(draft)
      ? [...claims.flatMap(claim => figuresOf(claim.legs(draft, manifest)).flatMap(predicted)), ...claims.some(({ rivals }) => rivals) ? predictedBy(rivalChecks, draft, manifest) : []]
      : [],
    claims: (plan, _blocks, { streams }) => isStreams(plan) ? claims.map(claim => judged(claim, plan, streams)) : []
  }
}

function figuresOf ({ application, os, mechanism, control }: FactorLegs): FactorFigure[] {
  return [...application, ...os, ...mechanism, ...control]
}

function predicted ({ id, metric, what, cells }: FactorFigure): Prediction[] {
  return cells.flatMap(cell => cell.band === undefined ? [] : [{ id: `${id}:${cell.id}`, metric, statement: `${cell.id}: ${what}`, lo: rounded(cell.band[0]), hi: rounded(cell.band[1]) }])
}

function judged (claim: FactorClaim, plan: StreamsPlan, views: readonly StreamsView[]): Claim {
  const { application, os, mechanism, control } = claim.legs(plan, undefined)
  const leg = (figures: readonly FactorFigure[], more: readonly Leg[] = []): Leg => {
    const [first, ...rest] = [...figures.map(figure => legOf(figure, plan, views)), ...more]
    return first === undefined ? missingLeg('nothing is asked', 'the claim', 'the plan has no condition for it') : allOf([first, ...rest])
  }
  return withStatus({
    id: claim.id,
    statement: claim.statement,
    predicted: [...application, ...mechanism].map(figure => told(figure, plan)).join('; '),
    explanation: claim.explanation,
    application: leg(application),
    os: leg(os),
    mechanism: leg(mechanism),
    control: leg(control, claim.rivals ? rivalLegs(plan, views) : [])
  })
}

function legOf ({ id, what, source, cells }: FactorFigure, plan: Plan, views: readonly StreamsView[]): Leg {
  return cellsLeg(what, cells.some(({ atPace }) => atPace) ? sourceAtPace(source, views) : source, cells.map(cell => ({ id: cell.id, value: cell.value(views), prediction: predictionOf(plan, `${id}:${cell.id}`), compared: cell.compared?.(views) })))
}

function told ({ id, what, cells }: FactorFigure, plan: Plan): string {
  const bands = cells.map(cell => {
    const band = predictionOf(plan, `${id}:${cell.id}`)
    return band === undefined ? `${cell.id} not predicted` : `${cell.id} ${band.hi >= unbounded ? `≥ ${number(band.lo)}` : `${number(band.lo)}–${number(band.hi)}`}`
  })
  return `${what}: ${bands.join(', ')}`
}

/** Four digits are more than any band is worth. */
function rounded (value: number): number {
  return value >= unbounded ? value : Number(value.toPrecision(4))
}
