import type { Cell, Contrast, Result } from '../../types.js'

type Statistic = 'p50' | 'p95' | 'p99'
type Interval = readonly [number, number]

/** higher, lower: the interval of b ÷ a lies beyond 1. same: it lies inside what does not matter. open: neither. described: there is no interval. */
export type Finding = 'higher' | 'lower' | 'same' | 'open' | 'described'

export interface Side {
  readonly value: number
  readonly ci95: Interval | null
  readonly n: number
}

/** One figure in two runs. */
export interface DiffRow {
  readonly condition: string
  readonly metric: string
  readonly unit: string
  readonly population: Cell['population']
  readonly statistic: Statistic | 'ratio'
  readonly a: Side
  readonly b: Side
  /** b ÷ a. */
  readonly ratio: number
  readonly ci95: Interval | null
  /** Smallest ratio that matters, of the metric's outcome; 1.1 where it is none. */
  readonly matters: number
  readonly finding: Finding
}

export interface RunDiff {
  /** Percentiles of the same condition, metric and population; of numbers by block their median. */
  readonly figures: readonly DiffRow[]
  /** Ratios that each run measured within itself, in pairs: what the machine did between the two runs is not in them. */
  readonly contrasts: readonly DiffRow[]
}

const usualMatter = 1.1

/**
 * What two results say of the same figure. The two runs are independent, so the interval of a ratio is made of the two intervals (MOVER on the log
 * scale, Zou and Donner 2008): as wide as they are together, in quadrature. A figure without an interval in either run has none. No test and no
 * correction for their number: of many intervals of equal runs about one in twenty lies beyond 1.
 */
export function diffRuns (a: Result, b: Result): RunDiff {
  const figures = a.cells.flatMap(cell => {
    const other = b.cells.find(each => each.condition === cell.condition && each.metric === cell.metric && each.population === cell.population)
    if (other === undefined) return []
    const statistics: readonly Statistic[] = cell.population === 'block' ? ['p50'] : ['p50', 'p95', 'p99']
    return statistics.flatMap(statistic => row({ condition: cell.condition, metric: cell.metric, unit: cell.unit, population: cell.population, statistic }, sideOfCell(cell, statistic), sideOfCell(other, statistic), mattersOf(a, cell.metric, statistic)))
  })
  const contrasts = a.contrasts.flatMap(contrast => {
    const other = b.contrasts.find(each => each.id === contrast.id && each.a === contrast.a && each.b === contrast.b)
    if (other === undefined) return []
    return row({ condition: `${contrast.b} ÷ ${contrast.a}`, metric: contrast.metric, unit: 'ratio', population: contrast.population, statistic: 'ratio' }, sideOfContrast(contrast), sideOfContrast(other), mattersOf(a, contrast.metric))
  })
  return { figures, contrasts }
}

function sideOfCell (cell: Cell, statistic: Statistic): Side | undefined {
  const value = cell[statistic]
  return value === null ? undefined : { value, ci95: cell.ci95?.[statistic] ?? null, n: cell.n }
}

function sideOfContrast ({ ratio, ci95, n }: Contrast): Side | undefined {
  return ratio === null ? undefined : { value: ratio, ci95, n }
}

/** Outcomes name a percentile in their metric: `itl-p99`, `ttft-answered-p95`. */
function mattersOf ({ outcomes }: Result, metric: string, statistic?: Statistic): number {
  const names = [metric, `${metric}-${statistic}`, `${metric}-answered-${statistic}`]
  return outcomes.find(outcome => names.includes(outcome.metric))?.matters ?? usualMatter
}

function row (of: Pick<DiffRow, 'condition' | 'metric' | 'unit' | 'population' | 'statistic'>, a: Side | undefined, b: Side | undefined, matters: number): DiffRow[] {
  if (a === undefined || b === undefined || a.value <= 0 || b.value <= 0) return []
  const ratio = b.value / a.value
  const ci95 = ratioInterval(a, b)
  return [{ ...of, a, b, ratio, ci95, matters, finding: findingOf(ci95, matters) }]
}

/** Of b ÷ a, for two independent figures above 0 with intervals of the same level; null without both. */
export function ratioInterval (a: Pick<Side, 'value' | 'ci95'>, b: Pick<Side, 'value' | 'ci95'>): Interval | null {
  if (a.ci95 === null || b.ci95 === null || a.ci95[0] <= 0 || b.ci95[0] <= 0) return null
  const reach = ({ value, ci95 }: typeof a): { readonly down: number, readonly up: number } => ({ down: Math.log(value / (ci95?.[0] ?? value)), up: Math.log((ci95?.[1] ?? value) / value) })
  const [ofA, ofB] = [reach(a), reach(b)]
  const middle = Math.log(b.value / a.value)
  return [Math.exp(middle - Math.hypot(ofB.down, ofA.up)), Math.exp(middle + Math.hypot(ofB.up, ofA.down))]
}

function findingOf (ci95: Interval | null, matters: number): Finding {
  if (ci95 === null) return 'described'
  if (ci95[0] >= 1 / matters && ci95[1] <= matters) return 'same'
  return ci95[0] > 1 ? 'higher' : ci95[1] < 1 ? 'lower' : 'open'
}
