/** From a claim's legs: what other numbers would have led to another status, in sentences. */
import { formatNumber } from './format.js'
import { bandText, unbounded } from '../analyse/claims/leg.js'
import type { Claim, LegFigure } from '../types.js'

const NAMES = [['application', 'application'], ['os', 'operating system'], ['control', 'control'], ['mechanism', 'mechanism']] as const

/** Figures of one leg that are told; more are counted. */
const MOST = 3

/** Of a supported claim the figure of each leg that has the least room, nearest first; of another those that did not hold. */
export function whatWouldChange (claim: Claim): string[] {
  const legs = NAMES.map(([key, name]) => ({ name, ...claim[key] }))
  if (claim.status === 'SUPPORTED') {
    return legs.flatMap(({ name, figures }) => {
      const nearest = figures.reduce<LegFigure | undefined>((a, b) => a === undefined || room(b) < room(a) ? b : a, undefined)
      return nearest === undefined ? [] : [{ name, nearest }]
    }).sort((a, b) => room(a.nearest) - room(b.nearest)).map(({ name, nearest }) => `The ${name} leg falls if ${told(nearest)} is not ${bandOf(nearest)}; it was ${formatNumber(nearest.value)}${spare(nearest)}.`)
  }
  const open = legs.filter(({ status }) => status !== 'holds')
  const lines = open.flatMap(({ name, figures }) => {
    const lacking = figures.filter(({ status }) => status !== 'holds')
    return [
      ...lacking.slice(0, MOST).map(figure => figure.value === null
        ? `The ${name} leg lacks ${told(figure)} (${figure.because ?? 'not measured'})${figure.band === null ? '' : `: it would have to be ${bandOf(figure)}`}.`
        : `The ${name} leg fails with ${told(figure)}: ${formatNumber(figure.value)}; it would have to be ${bandOf(figure)}.`),
      ...(lacking.length > MOST ? [`So do ${lacking.length - MOST} more figures of the ${name} leg.`] : [])
    ]
  })
  return lines.length > 1 ? [...lines, 'The claim is supported when all of these hold.'] : lines
}

/** `median gap, c2 ÷ c1`, in quotation marks: it may be a sentence. */
function told ({ what, of }: LegFigure): string {
  return `“${of === undefined ? what : `${what}, ${of}`}”`
}

function bandOf ({ band }: LegFigure): string {
  return band === null ? 'predicted' : bandText({ lo: band[0], hi: band[1] })
}

/** Half widths of its band from the nearer end; of a band that is open on one side, share of that end. A figure without numbers comes last. */
function room ({ value, band }: LegFigure): number {
  if (value === null || band === null) return Infinity
  const [lo, hi] = band
  if (hi >= unbounded) return (value - lo) / Math.max(Math.abs(lo), Number.MIN_VALUE)
  if (lo <= -unbounded) return (hi - value) / Math.max(Math.abs(hi), Number.MIN_VALUE)
  return Math.min(value - lo, hi - value) / Math.max((hi - lo) / 2, Number.MIN_VALUE)
}

function spare (figure: LegFigure): string {
  const { value, band } = figure
  if (value === null || band === null || band[0] === band[1]) return ''
  const distance = Math.min(...[value - band[0], band[1] - value].filter(side => side < unbounded / 2))
  return Number.isFinite(distance) ? `, ${formatNumber(distance)} from the nearer end` : ''
}
