import type { Leg, LegFigure, Prediction } from '../../types.js'
import { number } from '../verdict.js'
import { isInside, missingLeg, unbounded, type Compared } from './leg.js'

/** One condition's number against the band that was predicted for it. */
export interface PredictedCell {
  readonly id: string
  readonly value: number | null
  readonly prediction: Prediction | undefined
  readonly compared?: Compared
}

/** Centre of a band. */
export function predictedValue ({ lo, hi }: Prediction): number {
  return (lo + hi) / 2
}

/**
 * The numbers of many conditions, each against its own band, as one leg: all must hold. Its value is the number that is furthest outside or
 * nearest to an end of its band, its band that cell's.
 */
export function cellsLeg (statement: string, source: string, cells: readonly PredictedCell[]): Leg {
  if (cells.length === 0) return missingLeg(statement, source, 'no condition was to show it')
  const figures = cells.map(cell => figureOf(statement, source, cell))
  const unpredicted = cells.filter(({ prediction }) => prediction === undefined)
  if (unpredicted.length > 0) return { ...missingLeg(statement, source, `${UNPREDICTED} for ${names(unpredicted)}`), figures }
  const unmeasured = cells.filter(({ value }) => value === null)
  if (unmeasured.length > 0) return { ...missingLeg(statement, source, `${UNMEASURED} in ${names(unmeasured)}`), figures }
  const judged = cells.flatMap(({ id, value, prediction }) => value === null || prediction === undefined ? [] : [{ id, value, band: [prediction.lo, prediction.hi] as const }])
  const worst = judged.reduce((a, b) => margin(b) < margin(a) ? b : a)
  const outside = judged.filter(cell => margin(cell) < 0)
  return {
    status: outside.length === 0 ? 'holds' : 'fails',
    statement: `${statement}: ${judged.map(told).join(', ')}`,
    source,
    value: worst.value,
    band: worst.band,
    figures
  }
}

const UNPREDICTED = 'no band was predicted before the run'
const UNMEASURED = 'not measured'

function figureOf (what: string, source: string, { id, value, prediction, compared }: PredictedCell): LegFigure {
  const band = prediction === undefined ? null : [prediction.lo, prediction.hi] as const
  const figure = { what, of: id, source, ...(compared === undefined ? {} : { compared }), value, band }
  if (band === null) return { ...figure, status: 'missing', because: UNPREDICTED }
  if (value === null) return { ...figure, status: 'missing', because: UNMEASURED }
  return { ...figure, status: isInside(value, band) ? 'holds' : 'fails' }
}

interface Judged { readonly id: string, readonly value: number, readonly band: readonly [number, number] }

/** Distance to the nearer end of the band, in half widths of it; negative outside. */
function margin ({ value, band: [lo, hi] }: Judged): number {
  const half = Math.max((hi - lo) / 2, 1e-9)
  return Math.min(value - lo, hi - value) / half
}

function told (cell: Judged): string {
  const { id, value, band: [lo, hi] } = cell
  const band = hi >= unbounded ? `≥ ${number(lo)}` : `${number(lo)}–${number(hi)}`
  return `${id} ${number(value)} (${band}${margin(cell) < 0 ? ': outside' : ''})`
}

function names (cells: readonly PredictedCell[]): string {
  return cells.map(({ id }) => id).join(', ')
}
