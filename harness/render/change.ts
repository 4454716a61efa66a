/** From a claim's legs: what other numbers would have led to another status, in sentences. */
import { formatInterval, formatNumber } from './format.js'
import { unbounded } from '../analyse/claims/leg.js'
import type { Claim, Leg } from '../types.js'

const NAMES = [['application', 'application'], ['os', 'operating system'], ['control', 'control'], ['mechanism', 'mechanism']] as const

/** Of a supported claim each leg could overturn it, nearest first; of another only those that did not hold matter. */
export function whatWouldChange (claim: Claim): string[] {
  const legs = NAMES.map(([key, name]) => ({ name, leg: claim[key] }))
  if (claim.status === 'SUPPORTED') return [...legs].sort((a, b) => room(a.leg) - room(b.leg)).map(({ name, leg }) => overturn(name, leg))
  const open = legs.filter(({ leg }) => leg.status !== 'holds')
  const also = open.length > 1 ? ', together with the other legs that do not hold' : ''
  return open.map(({ name, leg }) => {
    const where = leg.band === null ? 'in which it holds' : `that measures it at ${bandText(leg.band)}`
    return leg.status === 'missing'
      ? `The ${name} leg is missing (${leg.statement}): a run ${where} would support the claim${also}.`
      : `The ${name} leg fails${leg.value === null ? '' : ` at ${formatNumber(leg.value)}`}: a run ${where} would support the claim${also}.`
  })
}

function overturn (name: string, { value, band, statement }: Leg): string {
  return band === null || value === null
    ? `A run in which the ${name} leg does not hold: ${statement}.`
    : `The ${name} leg at a value outside of ${bandText(band)}; it was ${formatNumber(value)}${nearest(value, band)}.`
}

function bandText ([lo, hi]: readonly [number, number]): string {
  if (hi >= unbounded) return `at least ${formatNumber(lo)}`
  return lo <= -unbounded ? `at most ${formatNumber(hi)}` : formatInterval([lo, hi])
}

/** Share of its value by which a leg may still move; a leg without numbers comes last. */
function room ({ value, band }: Pick<Leg, 'value' | 'band'>): number {
  if (value === null || band === null) return Infinity
  const sides = [value - band[0], band[1] >= unbounded ? Infinity : band[1] - value]
  return Math.min(...sides) / Math.max(Math.abs(value), Number.MIN_VALUE)
}

function nearest (value: number, band: readonly [number, number]): string {
  const share = room({ value, band })
  return Number.isFinite(share) && value !== 0 && share >= 0 ? `, ${formatNumber(100 * share)} % of it from the nearer end` : ''
}
