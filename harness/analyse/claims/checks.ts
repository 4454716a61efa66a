/** Legs of a claim as tables of numbers and their bands. */
import type { Contrast, Leg, Manifest, Prediction } from '../../types.js'
import type { Kind } from './contract.js'
import { allOf, bandLeg, missingLeg, partOf, predictionOf, type Compared, type ContrastPart } from './leg.js'

export type Band = readonly [lo: number, hi: number]

export interface Check<K extends Kind> {
  readonly id: string
  readonly metric: string
  readonly what: string
  /** From the blocks where not all of them have the better one. */
  readonly source: string | ((views: ReadonlyArray<K['view']>) => string)
  readonly value: (views: ReadonlyArray<K['view']>, plan: K['plan'], contrasts: readonly Contrast[]) => number | null
  /** Where it compares two conditions. */
  readonly compared?: (views: ReadonlyArray<K['view']>, plan: K['plan'], contrasts: readonly Contrast[]) => Compared
  /** Why there is no value; absent or empty: it was not measured. */
  readonly because?: (contrasts: readonly Contrast[]) => string | undefined
  /** Undefined: it cannot be predicted from this calibration, and its leg will be missing. `null`: it is asked on the quiet host alone. */
  readonly band: ((draft: K['draft'], manifest: Manifest) => Band | undefined) | null
  /** On the quiet host; absent: the same. `null`: nothing is asked there. */
  readonly quiet?: Band | null
  /** Whose prediction it is judged by, where another number must lie in the same band; it makes none of its own then. */
  readonly inBandOf?: string
  /** What the words of the claim mean, and no prediction ("faster" is above 1): not in the plan. */
  readonly byMeaning?: Band
  /** Whether there was anything to count; where there was not, it is left out. */
  readonly isCounted?: (views: ReadonlyArray<K['view']>) => boolean
}

/** What goes into the plan before the run. */
export function predictedBy<K extends Kind> (checks: ReadonlyArray<Check<K>>, draft: K['draft'], manifest: Manifest): Prediction[] {
  return asked(checks, draft.quiet).flatMap(({ id, metric, what, band: bandOf, quiet, inBandOf, byMeaning }) => {
    if (inBandOf !== undefined || byMeaning !== undefined) return []
    const band = draft.quiet && quiet !== undefined ? quiet : bandOf?.(draft, manifest)
    return band === undefined || band === null ? [] : [{ id, metric, statement: what, lo: band[0], hi: band[1] }]
  })
}

/** What could not be predicted is missing. */
export function legOf<K extends Kind> (checks: ReadonlyArray<Check<K>>, plan: K['plan'], views: ReadonlyArray<K['view']>, contrasts: readonly Contrast[]): Leg {
  const [first, ...rest] = legsOf(checks, plan, views, contrasts)
  return first === undefined ? missingLeg('nothing is asked', 'the claim', plan.quiet ? 'on the quiet host' : 'under its setting') : allOf([first, ...rest])
}

/** The same one by one, as a part of a leg. */
export function legsOf<K extends Kind> (checks: ReadonlyArray<Check<K>>, plan: K['plan'], views: ReadonlyArray<K['view']>, contrasts: readonly Contrast[]): Leg[] {
  return asked(checks, plan.quiet).filter(({ isCounted }) => isCounted?.(views) ?? true).map(check => {
    const { id, metric, what, source: sourceOf } = check
    const source = typeof sourceOf === 'string' ? sourceOf : sourceOf(views)
    const [lo, hi] = check.byMeaning ?? []
    const prediction = lo === undefined || hi === undefined ? predictionOf(plan, check.inBandOf ?? id) : { id, metric, statement: what, lo, hi }
    const value = check.value(views, plan, contrasts)
    return bandLeg(what, source, value, prediction, check.compared?.(views, plan, contrasts), value === null ? check.because?.(contrasts) : undefined)
  })
}

function asked<K extends Kind> (checks: ReadonlyArray<Check<K>>, isQuiet: boolean): ReadonlyArray<Check<K>> {
  return checks.filter(({ band, quiet }) => isQuiet ? quiet !== null : band !== null)
}

export type Checks<K extends Kind> = readonly [Check<K>, ...Array<Check<K>>]

/** Of a contrast, with ÷ without: its ratio, or an end of its interval. What it says of itself where it has none is why the leg is missing. @param contrastId also its metric */
export function contrastCheck<K extends Kind> (contrastId: string, part: ContrastPart, check: Pick<Check<K>, 'id' | 'what' | 'source' | 'band' | 'quiet' | 'inBandOf' | 'byMeaning'>): Check<K> {
  const of = (contrasts: readonly Contrast[]): Contrast | undefined => contrasts.find(({ id }) => id === contrastId)
  return {
    ...check,
    metric: contrastId,
    value: (_views, _plan, contrasts) => partOf(of(contrasts), part),
    compared: (_views, _plan, contrasts) => of(contrasts)?.compared,
    because: contrasts => of(contrasts)?.because
  }
}
