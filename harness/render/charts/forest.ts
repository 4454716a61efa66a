/** Every contrast of the two conditions as a ratio with its interval, on one log axis. */
import { formatRatio, formatRatioInterval } from '../format.js'
import { metricLabel, populationLabel, verdictWord } from '../labels.js'
import { contrastSubject } from '../headline.js'
import { isYardstick } from '../lookup.js'
import { wrap } from '../text.js'
import { logRange } from './data.js'
import { logAxis } from './log-axis.js'
import { BETTER_COLOUR, FAINT, FONT_SIZE, INK, WORSE_COLOUR } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { Contrast, ContrastVerdict, OutcomeSpec, Result } from '../../types.js'

const MARKS: Readonly<Record<ContrastVerdict, { readonly colour: string, readonly symbol: string }>> = {
  better: { colour: BETTER_COLOUR, symbol: 'circle' },
  worse: { colour: WORSE_COLOUR, symbol: 'rect' },
  equivalent: { colour: INK, symbol: 'diamond' },
  'cannot say': { colour: FAINT, symbol: 'emptyCircle' }
}

const ROW_HEIGHT_PX = { wide: 52, narrow: 84 } as const

/** Grows with the number of contrasts; names of conditions before those of metrics take another line. */
export function forestHeight (result: Result, page: 'wide' | 'narrow'): number {
  return 70 + (ROW_HEIGHT_PX[page] + (result.conditions.length > 2 ? 16 : 0)) * Math.max(1, drawable(result).length)
}

interface Drawn {
  readonly contrast: Contrast
  readonly ratio: number
  readonly outcome: OutcomeSpec | undefined
}

function drawable (result: Result): Drawn[] {
  return result.contrasts.filter((contrast) => !isYardstick(contrast)).flatMap((contrast) => contrast.ratio !== null && contrast.ratio > 0
    ? [{ contrast, ratio: contrast.ratio, outcome: result.outcomes.find((outcome) => outcome.metric === contrast.metric) }]
    : [])
}

function numbersText ({ contrast, ratio }: Drawn): string {
  return `${formatRatio(ratio)} (${formatRatioInterval(contrast.ci95)})\n${verdictWord(contrast.verdict)}`
}

function nameText (result: Result, { contrast, outcome }: Drawn, columns: number): string {
  const name = wrap(`${contrast.primary ? '★ ' : ''}${contrastSubject(result, contrast)}${metricLabel(contrast.metric)}, ${populationLabel(contrast.population)}`, columns).join('\n')
  return outcome?.better === 'lower' ? `${name}\n(lower is better)` : name
}

function segment (row: number, interval: readonly [number, number], range: readonly [number, number], style: { width: number, color: string, opacity: number }) {
  const ends = [Math.max(interval[0], range[0]), Math.min(interval[1], range[1])]
  return { type: 'line', data: ends.map((end) => [Math.log10(end), row]), symbol: 'none', lineStyle: { ...style, type: 'solid', cap: 'butt' } }
}

function rowSeries ({ contrast, ratio, outcome }: Drawn, row: number, range: readonly [number, number]) {
  const { colour, symbol } = MARKS[contrast.verdict]
  return [
    ...(outcome === undefined ? [] : [segment(row, [1 / outcome.matters, outcome.matters], range, { width: 18, color: FAINT, opacity: 0.25 })]),
    ...(contrast.ci95 === null ? [] : [segment(row, contrast.ci95, range, { width: 2.5, color: colour, opacity: 1 })]),
    { type: 'scatter', symbol, symbolSize: 11, itemStyle: { color: colour, opacity: 1 }, data: [[Math.log10(ratio), row]] }
  ]
}

function ratioText ({ conditions, design }: Result): string {
  return design === 'pairs' ? conditions.map(({ id }) => id).reverse().join(' ÷ ') : 'condition ÷ its baseline'
}

export function forest (result: Result, size: Size): string {
  const narrow = size.width < 560
  const drawn = drawable(result)
  const ratios = drawn.flatMap(({ contrast, ratio, outcome }) => [ratio, ...contrast.ci95 ?? [], ...(outcome === undefined ? [] : [outcome.matters, 1 / outcome.matters])])
  const range = logRange([1 / 1.1, 1.1, ...ratios])
  const names = drawn.map((each) => narrow ? `${nameText(result, each, 18)}\n${numbersText(each)}` : nameText(result, each, 26))
  const rowAxis = (position: 'left' | 'right', data: readonly string[], align: 'left' | 'right') => ({
    type: 'category', position, inverse: true, data, axisLine: { show: false }, axisTick: { show: false }, splitLine: { show: false }, axisLabel: { color: INK, fontSize: FONT_SIZE - 1, interval: 0, lineHeight: 15, align }
  })
  return renderSvg(`forest${size.width}`, `Ratios ${ratioText(result)} with 95 % intervals`, {
    grid: { left: narrow ? 150 : 200, right: narrow ? 20 : 170, top: 12, bottom: 52 },
    xAxis: logAxis(`${narrow ? '' : 'ratio '}${ratioText(result)} (log scale)`, 'x', range, narrow ? 6 : 11),
    yAxis: [rowAxis('left', names, 'right'), ...(narrow ? [] : [rowAxis('right', drawn.map(numbersText), 'left')])],
    series: [
      ...drawn.flatMap((each, row) => rowSeries(each, row, range)),
      // The right axis is shown only when something lies on it.
      ...(narrow ? [] : [{ type: 'line', yAxisIndex: 1, data: [] }]),
      { type: 'line', data: [], markLine: { symbol: 'none', silent: true, label: { show: false }, lineStyle: { color: INK, width: 1.5, type: 'solid' }, data: [{ xAxis: 0 }] } }
    ]
  }, size)
}
