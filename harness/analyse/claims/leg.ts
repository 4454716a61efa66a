import type { Claim, Contrast, Leg, Plan, Prediction } from '../../types.js'
import { number } from '../verdict.js'

/** The prediction of the plan with this id; undefined when it was not named before the run, and then nothing counts as predicted. */
export function predictionOf (plan: Plan, id: string): Prediction | undefined {
  return plan.predictions.find(prediction => prediction.id === id)
}

export function missingLeg (statement: string, source: string, why: string): Leg {
  return { status: 'missing', statement: `${statement}: ${why}`, source, value: null, band: null, figures: [{ what: statement, source, value: null, band: null, status: 'missing', because: why }] }
}

/** Of a figure that compares two conditions: what each of them had. Undefined where it compares none, or one lacks it. */
export type Compared = readonly [number, number] | undefined

export function both (before: number | null, after: number | null): Compared {
  return before === null || after === null ? undefined : [before, after]
}

/** One number against its predicted band, ends included. @param because why there is no value, where that is known */
export function bandLeg (statement: string, source: string, value: number | null, prediction: Prediction | undefined, compared?: Compared, because?: string): Leg {
  if (prediction === undefined) return missingLeg(statement, source, 'no band was predicted before the run')
  const band = [prediction.lo, prediction.hi] as const
  if (value === null) {
    const missing = missingLeg(statement, source, because || 'not measured')
    return { ...missing, band, figures: missing.figures.map(figure => ({ ...figure, band })) }
  }
  const status = isInside(value, band) ? 'holds' : 'fails'
  return { status, statement: `${statement}: ${number(value)}, predicted ${bandText(prediction)}`, source, value, band, figures: [{ what: statement, source, ...(compared === undefined ? {} : { compared }), value, band, status }] }
}

/** A ratio of two conditions, or an end of its interval, against its predicted band; missing with the contrast's own reason. */
export function contrastLeg (statement: string, source: string, contrast: Contrast | undefined, part: ContrastPart, prediction: Prediction | undefined): Leg {
  return bandLeg(statement, source, partOf(contrast, part), prediction, contrast?.compared, contrast?.because)
}

export type ContrastPart = 'ratio' | 'lower end' | 'upper end'

/** Null where there is no contrast, or where it has no interval. */
export function partOf (contrast: Contrast | undefined, part: ContrastPart): number | null {
  return (part === 'ratio' ? contrast?.ratio : contrast?.ci95?.[part === 'lower end' ? 0 : 1]) ?? null
}

/** Ends included. */
export function isInside (value: number, [lo, hi]: readonly [number, number]): boolean {
  return value >= lo && value <= hi
}

export function bandText ({ lo, hi }: Pick<Prediction, 'lo' | 'hi'>): string {
  if (hi >= unbounded) return `at least ${number(lo)}`
  return lo <= -unbounded ? `at most ${number(hi)}` : lo === hi ? `exactly ${number(lo)}` : `${number(lo)} to ${number(hi)}`
}

/** Upper end of a band that has none (JSON has no Infinity). */
export const unbounded = 1e9

/** All must hold; a missing one is missing before a failing one fails. Value and band are those of the first leg that made it so. */
export function allOf (legs: readonly [Leg, ...Leg[]]): Leg {
  const statuses = legs.map(leg => leg.status)
  const status = statuses.includes('missing') ? 'missing' : statuses.includes('fails') ? 'fails' : 'holds'
  return {
    ...legs.find(leg => leg.status === status) ?? legs[0],
    statement: legs.map(leg => leg.statement).join('; '),
    source: [...new Set(legs.map(leg => leg.source))].join('; '),
    figures: legs.flatMap(leg => leg.figures)
  }
}

/** Supported when each of its legs holds. */
export function withStatus (claim: Omit<Claim, 'status'>): Claim {
  const { application, os, control, mechanism } = claim
  return { ...claim, status: [application, os, control, mechanism].every(({ status }) => status === 'holds') ? 'SUPPORTED' : 'UNSUPPORTED' }
}
