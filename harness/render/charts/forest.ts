/** Every contrast of the two conditions as a ratio with its interval, on one log axis. */
import { formatInterval, formatRatio } from '../format.js'
import { metricLabel, populationLabel, verdictWord } from '../labels.js'
import { wrap } from '../text.js'
import { logRange } from './data.js'
import { logAxis } from './log-axis.js'
import { ARM_STYLES, axis, FAINT, FONT_SIZE, INK } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { Contrast, ContrastVerdict, Result } from '../../types.js'

const MARKS: Readonly<Record<ContrastVerdict, { readonly colour: string, readonly symbol: string }>> = {
  better: { colour: ARM_STYLES.after.colour, symbol: 'circle' },
  worse: { colour: ARM_STYLES.before.colour, symbol: 'rect' },
  equivalent: { colour: INK, symbol: 'diamond' },
  'cannot say': { colour: FAINT, symbol: 'emptyCircle' }
}

const ROW_HEIGHT = 52

/** Grows with the number of contrasts. */
export function forestHeight (result: Result): number {
  return 70 + ROW_HEIGHT * Math.max(1, drawable(result).length)
}

function drawable (result: Result): { contrast: Contrast, ratio: number }[] {
  return result.contrasts.flatMap((contrast) => contrast.ratio !== null && contrast.ratio > 0 ? [{ contrast, ratio: contrast.ratio }] : [])
}

export function forest (result: Result, size: Size): string {
  const narrow = size.width < 560
  const drawn = drawable(result)
  const bands = drawn.map(({ contrast }) => result.outcomes.find((outcome) => outcome.metric === contrast.metric))
  const range = logRange([1 / 1.1, 1.1, ...drawn.flatMap(({ contrast, ratio }) => [ratio, ...contrast.ci95 ?? []]), ...bands.flatMap((band) => band === undefined ? [] : [band.matters, 1 / band.matters])])
  const names = drawn.map(({ contrast }, row) => wrap(`${contrast.primary ? '★ ' : ''}${metricLabel(contrast.metric)}, ${populationLabel(contrast.population)}`, narrow ? 18 : 26).join('\n') + (bands[row]?.better === 'lower' ? '\n(lower is better)' : ''))
  const segment = (row: number, lo: number, hi: number, width: number, color: string, opacity: number) => ({
    type: 'line', data: [[Math.log10(Math.max(lo, range[0])), row], [Math.log10(Math.min(hi, range[1])), row]], symbol: 'none', lineStyle: { width, color, opacity, type: 'solid', cap: 'butt' }
  })
  return renderSvg(`forest${size.width}`, 'Ratios after to before with 95 % intervals', {
    grid: { left: narrow ? 136 : 200, right: narrow ? 20 : 190, top: 12, bottom: 52 },
    xAxis: { ...logAxis(`${narrow ? '' : 'ratio '}after ÷ before (log scale)`, 'x', range, narrow ? 6 : 11), splitLine: { show: false } },
    yAxis: { ...axis('', 'y'), type: 'category', inverse: true, data: names, splitLine: { show: false }, axisTick: { show: false }, axisLabel: { color: INK, fontSize: FONT_SIZE - 1, interval: 0, lineHeight: 15 } },
    series: [
      ...drawn.flatMap(({ contrast, ratio }, row) => {
        const { colour, symbol } = MARKS[contrast.verdict]
        const band = bands[row]
        return [
          ...(band === undefined ? [] : [segment(row, 1 / band.matters, band.matters, 16, FAINT, 0.22)]),
          ...(contrast.ci95 === null ? [] : [segment(row, contrast.ci95[0], contrast.ci95[1], 2.5, colour, 1)]),
          {
            type: 'scatter',
            symbol,
            symbolSize: 11,
            itemStyle: { color: colour },
            data: [[Math.log10(ratio), row]],
            label: {
              show: true,
              position: narrow ? 'top' : 'right',
              formatter: narrow ? `${formatRatio(ratio)} (${formatInterval(contrast.ci95)})` : `${formatRatio(ratio)} (${formatInterval(contrast.ci95)})\n${verdictWord(contrast.verdict)}`,
              color: INK,
              fontSize: FONT_SIZE - 1
            }
          }
        ]
      }),
      { type: 'line', data: [], markLine: { symbol: 'none', silent: true, label: { show: false }, lineStyle: { color: INK, width: 1.5, type: 'solid' }, data: [{ xAxis: 0 }] } }
    ]
  }, size)
}
