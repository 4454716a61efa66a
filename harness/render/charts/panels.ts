/** Latency, queue depth and OS counters of one pair of blocks, stacked on one time axis. */
import { formatNumber } from '../format.js'
import { niceCeiling, representativeBlocks, shownConditions, thinKeepingPeaks } from './data.js'
import { SIGNALS } from './signals.js'
import { axis, FAINT, FONT_SIZE, INK, legend, RULE, styleAt, styleOf } from './style.js'
import { renderSvg } from './svg.js'
import type { Point } from './data.js'
import type { Signal } from './signals.js'
import type { Size } from './style.js'
import type { Evidence, Result } from '../../types.js'

interface Panel {
  readonly signal: Signal
  readonly curves: readonly { readonly id: string, readonly points: readonly Point[] }[]
}

const PANEL_HEIGHT = 96
const TOP = 44
const BOTTOM = 52

/** Panels for which at least one of the blocks has points. */
function panels (evidence: Evidence, result: Result): Panel[] {
  const blocks = representativeBlocks(evidence, result)
  return signalsOf(result).flatMap((signal) => {
    const curves = shownConditions(result).flatMap((id) => {
      const block = blocks.get(id)
      const points = block === undefined ? [] : signal.points(block)
      return points.length === 0 ? [] : [{ id, points }]
    })
    return curves.length === 0 ? [] : [{ signal, curves }]
  })
}

/** Sources that this machine or run did not have: named in the caption. */
export function absentSignals (evidence: Evidence, result: Result): string[] {
  const present = new Set(panels(evidence, result).map(({ signal }) => signal.title))
  return signalsOf(result).filter(({ title }) => !present.has(title)).map(({ title }) => title)
}

function signalsOf ({ workload }: Result): Signal[] {
  return SIGNALS.filter(({ load }) => load === undefined || load === workload.kind)
}

export function panelsHeight (evidence: Evidence, result: Result): number {
  return TOP + BOTTOM + PANEL_HEIGHT * Math.max(1, panels(evidence, result).length)
}

export function osPanels (evidence: Evidence, result: Result, size: Size): string {
  const drawn = panels(evidence, result)
  const shown = shownConditions(result).filter((id) => drawn.some(({ curves }) => curves.some((curve) => curve.id === id)))
  const style = (id: string) => result.design === 'sweep' ? styleAt(shown.indexOf(id)) : styleOf(result, id)
  const lastSecond = drawn.flatMap(({ curves }) => curves.flatMap(({ points }) => points.map(([second]) => second))).reduce((most, second) => Math.max(most, second), 1)
  const narrow = size.width < 560
  return renderSvg(`panels${size.width}`, 'Latency, queue depth and operating system counters over time, one block of each condition', {
    legend: { ...legend(shown.map((name) => ({ name }))), itemStyle: { opacity: 0 } },
    title: drawn.map(({ signal }, index) => ({
      text: narrow ? `${signal.title} (${signal.unit})` : `${signal.title} (${signal.unit}; ${signal.source})`,
      left: 54,
      top: TOP + index * PANEL_HEIGHT - 6,
      padding: 0,
      textStyle: { fontSize: FONT_SIZE - (narrow ? 1 : 0), fontWeight: 'normal', color: INK }
    })),
    grid: drawn.map((_, index) => ({ left: 56, right: 16, top: TOP + index * PANEL_HEIGHT + 14, height: PANEL_HEIGHT - 34 })),
    xAxis: drawn.map((_, index) => {
      const bottom = index === drawn.length - 1
      return {
        ...axis(bottom ? 'since the load started (s)' : '', 'x'),
        type: 'value',
        gridIndex: index,
        min: 0,
        max: Math.ceil(lastSecond),
        axisLabel: { show: bottom, color: INK, fontSize: FONT_SIZE - 1, hideOverlap: true, showMaxLabel: false },
        axisTick: { show: bottom },
        splitLine: { show: true, lineStyle: { color: RULE } }
      }
    }),
    yAxis: drawn.map(({ curves }, index) => {
      const most = niceCeiling(curves.flatMap(({ points }) => points.map(([, value]) => value)).reduce((top, value) => Math.max(top, value), 0))
      return {
        ...axis('', 'y'),
        type: 'value',
        gridIndex: index,
        min: 0,
        max: most,
        interval: most / 2,
        axisLabel: { color: INK, fontSize: FONT_SIZE - 2, formatter: (value: number) => formatNumber(value) },
        axisLine: { show: true, lineStyle: { color: FAINT } }
      }
    }),
    series: drawn.flatMap(({ curves, signal }, index) => curves.map(({ id, points }) => ({
      type: 'line',
      name: id,
      xAxisIndex: index,
      yAxisIndex: index,
      symbol: 'none',
      step: signal.unit === 'calls' ? 'end' : false,
      lineStyle: { color: style(id).colour, width: 1.8, type: style(id).dash },
      itemStyle: { color: style(id).colour },
      data: thinKeepingPeaks(points, 300)
    })))
  }, size)
}
