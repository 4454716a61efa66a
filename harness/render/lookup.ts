/** Finds in a result what a page or a summary wants to show. Computes nothing but means of block rows. */
import { formatInterval, formatNumber, MISSING, NBSP } from './format.js'
import { conditionIds, metricLabel, PERCENTILES, populationLabel, splitMetric } from './labels.js'
import { floorOf } from '../stats/percentile.js'
import { isOpenLoop } from '../analyse/plan-kind.js'
import type { Cell, Contrast, OpenLoopBlockSummary, Population, Result } from '../types.js'
import type { Percentile } from './labels.js'

export function primaryContrast (result: Result): Contrast | undefined {
  return result.contrasts.find((contrast) => contrast.primary)
}

const BLOCK_COLUMNS: Readonly<Record<string, (block: OpenLoopBlockSummary) => number | null>> = {
  'good-per-second': (block) => block.goodPerSecond,
  'good-per-capacity': (block) => block.goodPerCapacity,
  capacity: (block) => block.capacityPerSecond,
  'offered-per-second': (block) => block.offeredPerSecond,
  'answered-per-second': (block) => block.answeredPerSecond,
  'tokens-per-second': (block) => block.tokensPerSecond,
  'server-cpu-per-token': (block) => block.serverCpuUsecPerToken,
  'closed-loop-cpu-per-token': (block) => block.closedLoopCpuUsecPerToken
}

/** Mean over the valid blocks of a condition; undefined when the metric is no column of the block rows or no block has it. */
export function blockMean (result: Result, metric: string, condition: string): number | undefined {
  const column = BLOCK_COLUMNS[metric]
  if (column === undefined || !isOpenLoop(result)) return undefined
  const values = result.blocks.filter((block) => block.valid && block.condition === condition).map(column).filter((value) => value !== null)
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length
}

export function findCell (result: Result, metric: string, condition: string, population: Population): Cell | undefined {
  return result.cells.find((cell) => cell.metric === metric && cell.condition === condition && cell.population === population)
}

/** What a contrast compared, as text: the cell's percentile or mean, else the mean of the block rows, else `–`. */
export function conditionValue (result: Result, metric: string, condition: string, population: Population): string {
  const { base, statistic } = splitMetric(metric)
  const cell = findCell(result, metric, condition, population) ?? findCell(result, base, condition, population) ?? findCell(result, metric, condition, 'block')
  if (cell !== undefined && statistic !== undefined && statistic !== 'mean') return percentileText(cell, statistic)
  const value = cell?.mean ?? blockMean(result, metric, condition) ?? cell?.p50
  return formatNumber(value)
}

/** The percentile, `> limit` when it lies among censored calls, `–`, or nothing where none was promised. */
export function percentileText (cell: Cell, percentile: Percentile): string {
  if (!isPromised(cell, percentile)) return ''
  const censored = cell.censoredAbove?.[percentile]
  if (censored !== undefined) return `>${NBSP}${formatNumber(censored)}`
  return formatNumber(cell[percentile])
}

/** A handful of blocks never has a p95: nobody promised one, so its place stays empty. */
export function isPromised (cell: Cell, percentile: Percentile): boolean {
  return cell.population !== 'block' || percentile === 'p50' || cell[percentile] !== null
}

/** Why a percentile is missing; undefined when it is there, known to be above a limit, or not promised. */
export function whyMissing (cell: Cell, percentile: Percentile): string | undefined {
  if (!isPromised(cell, percentile)) return undefined
  if (cell[percentile] !== null || cell.censoredAbove?.[percentile] !== undefined) return undefined
  if (cell.n === 0) return 'no such calls'
  const floor = floorOf[percentile]
  return cell.nEff < floor ? `n_eff ${formatNumber(cell.nEff)} < ${floor}` : 'not given by the analysis'
}

export interface Row {
  readonly metric: string
  readonly unit: string
  readonly population: Population
  readonly cells: readonly Cell[]
}

/** Cells grouped into rows of all conditions, in the order in which the metrics first appear. */
export function rows (result: Result): Row[] {
  const groups = new Map<string, Cell[]>()
  for (const cell of result.cells) {
    const key = `${cell.metric}\n${cell.population}`
    groups.set(key, [...groups.get(key) ?? [], cell])
  }
  return [...groups.values()].flatMap((cells) => {
    const first = cells[0]
    if (first === undefined) return []
    const ordered = conditionIds(result).flatMap((id) => cells.filter((cell) => cell.condition === id))
    return [{ metric: first.metric, unit: first.unit, population: first.population, cells: ordered }]
  })
}

/** `TTFT (ms), all offered`; the unit is left out when the name says it. */
export function rowLabel (row: Row): string {
  const label = metricLabel(row.metric)
  const unit = row.unit === '' || row.unit === 'ratio' || label.endsWith('/s') ? '' : ` (${row.unit})`
  return `${label}${unit}, ${populationLabel(row.population)}`
}

/** One sentence for each reason why cells are missing; too few independent calls is one reason, whatever the place. */
export function missingNotes (result: Result): string[] {
  const places = new Map<string, string[]>()
  let tooFew = false
  for (const cell of result.cells) {
    for (const percentile of PERCENTILES) {
      const why = whyMissing(cell, percentile)
      if (why === undefined) continue
      if (why.startsWith('n_eff')) {
        tooFew = true
        continue
      }
      const key = `${metricLabel(cell.metric)}, ${populationLabel(cell.population)}, ${cell.condition}: ${why}`
      places.set(key, [...places.get(key) ?? [], percentile])
    }
  }
  const floors = PERCENTILES.map(name => `${name} needs ${floorOf[name]}`).join(', ')
  return [
    ...(tooFew ? [`${MISSING} too few independent calls (n_eff): ${floors}`] : []),
    ...[...places].map(([key, found]) => `${MISSING} ${key}: ${found.join(', ')}`)
  ]
}

/** `before 0.09, after 0.82 (95 % 0.79–0.85)`: good ÷ saturated capacity of each condition; undefined when the result has none. */
export function yardstickText (result: Result): string | undefined {
  const parts = conditionIds(result).flatMap((id) => {
    const value = yardstickOf(result, id)
    return value === MISSING ? [] : [`${id} ${value}`]
  })
  return parts.length === 0 ? undefined : parts.join(', ')
}

export const YARDSTICK = 'good-per-capacity'

function yardstickOf (result: Result, condition: string): string {
  const paired = result.contrasts.find((contrast) => isYardstick(contrast) && contrast.b === condition)
  if (paired !== undefined && paired.ratio !== null) return formatNumber(paired.ratio) + interval95(paired.ci95)
  const cell = findCell(result, YARDSTICK, condition, 'block')
  if (cell !== undefined && cell.p50 !== null && cell.ci95?.p50 !== undefined) return `median${NBSP}${formatNumber(cell.p50)}${interval95(cell.ci95.p50)}`
  return conditionValue(result, YARDSTICK, condition, 'block')
}

function interval95 (interval: readonly [number, number] | null): string {
  return interval === null ? '' : ` (95${NBSP}%${NBSP}${formatInterval(interval)})`
}

/** True for a contrast between two conditions (and not, say, against the capacity). */
export function comparesConditions ({ conditions }: Result, contrast: Contrast): boolean {
  return [contrast.a, contrast.b].every((side) => conditions.some(({ id }) => id === side))
}

function isAgainstCapacity (contrast: Contrast): boolean {
  return contrast.a.startsWith('capacity')
}

/** True for answers against the capacity of the same block, which stands by the verdict. */
export function isYardstick (contrast: Contrast): boolean {
  return contrast.metric === YARDSTICK && isAgainstCapacity(contrast)
}

/** Secondary outcomes without the yardstick, which stands by the verdict. */
export function secondaryContrasts (result: Result): Contrast[] {
  return result.contrasts.filter((contrast) => !contrast.primary && !isYardstick(contrast))
}

/** Conditions are compared in pairs of blocks, anything else block by block. */
export function unitsText (contrast: Contrast): string {
  const unit = isAgainstCapacity(contrast) ? 'block' : 'pair'
  return `${contrast.n}${NBSP}${unit}${contrast.n === 1 ? '' : 's'}`
}
