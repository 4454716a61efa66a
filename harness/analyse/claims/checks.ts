/** Legs of a claim as tables of numbers and their bands. */
import type { Contrast, Leg, Manifest, Plan, Prediction } from '../../types.js'
import type { PlanDraft } from './contract.js'
import { allOf, bandLeg, missingLeg, predictionOf, type Compared } from './leg.js'

export type Band = readonly [lo: number, hi: number]

/** @typeParam V a block with what is derived from it */
export interface Check<V> {
  readonly id: string
  readonly metric: string
  readonly what: string
  readonly source: string
  readonly value: (views: readonly V[], plan: Plan, contrasts: readonly Contrast[]) => number | null
  /** Where it compares two conditions. */
  readonly compared?: (views: readonly V[], plan: Plan, contrasts: readonly Contrast[]) => Compared
  /** Undefined: it cannot be predicted from this calibration, and its leg will be missing. `null`: it is asked on the quiet host alone. */
  readonly band: ((draft: PlanDraft, manifest: Manifest) => Band | undefined) | null
  /** On the quiet host; absent: the same. `null`: nothing is asked there. */
  readonly quiet?: Band | null
}

/** What goes into the plan before the run. */
export function predictedBy<V> (checks: ReadonlyArray<Check<V>>, draft: PlanDraft, manifest: Manifest): Prediction[] {
  return asked(checks, draft.quiet).flatMap(({ id, metric, what, band: bandOf, quiet }) => {
    const band = draft.quiet && quiet !== undefined ? quiet : bandOf?.(draft, manifest)
    return band === undefined || band === null ? [] : [{ id, metric, statement: what, lo: band[0], hi: band[1] }]
  })
}

/** What could not be predicted is missing. */
export function legOf<V> (checks: ReadonlyArray<Check<V>>, plan: Plan, views: readonly V[], contrasts: readonly Contrast[]): Leg {
  const [first, ...rest] = asked(checks, plan.quiet).map(check => bandLeg(check.what, check.source, check.value(views, plan, contrasts), predictionOf(plan, check.id), check.compared?.(views, plan, contrasts)))
  return first === undefined ? missingLeg('nothing is asked', 'the claim', plan.quiet ? 'on the quiet host' : 'under its setting') : allOf([first, ...rest])
}

function asked<V> (checks: ReadonlyArray<Check<V>>, isQuiet: boolean): ReadonlyArray<Check<V>> {
  return checks.filter(({ band, quiet }) => isQuiet ? quiet !== null : band !== null)
}
