/** Dose-response: what each numeric factor of a sweep does to its outcomes. */
import { formatNumber } from '../format.js'
import { logRange, niceCeiling } from './data.js'
import { doseFactors, doseMetrics, doses, doseSeries, levels } from './dose-data.js'
import { logAxis } from './log-axis.js'
import { FAINT, FONT_SIZE, INK, legend, styleAt, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { DoseMetric, DoseSeries } from './dose-data.js'
import type { Size } from './style.js'
import type { DoseMark, StreamsResult } from '../../types.js'

/** The finest ones; more would be too small to read. */
const MOST_FACTORS = 2
const PANEL_HEIGHT = 230
const LEGEND_ROW = 29
const GAP = 64

interface Panel {
  readonly factor: string
  readonly doses: readonly number[]
  readonly metric: DoseMetric
  readonly series: readonly DoseSeries[]
  readonly levels: readonly { readonly name: string, readonly value: number }[]
  readonly marks: readonly DoseMark[]
}

function panelsOf (result: StreamsResult): Panel[][] {
  const factors = doseFactors(result.conditions).slice(0, MOST_FACTORS)
  const measured = doseMetrics(result).filter((metric) => factors.some((factor) => doseSeries(result, factor, metric).length > 0))
  return measured.map((metric) => factors.map((factor) => ({ factor, metric, doses: doses(result, factor), series: doseSeries(result, factor, metric), levels: levels(result, factor, metric), marks: result.claims.flatMap(({ doseMarks = [] }) => doseMarks).filter((mark) => mark.factor === factor) })))
}

/** 0: the sweep has no numeric factor, or nothing was measured; there is nothing to draw. */
export function doseHeight (result: StreamsResult, { width }: Pick<Size, 'width'>): number {
  const rows = panelsOf(result)
  const panels = rows.flat()
  const lines = isWide(width) ? rows.length : panels.length
  return panels.length === 0 ? 0 : topOf(lineNames(panels), width) + lines * (PANEL_HEIGHT + GAP)
}

function isWide (width: number): boolean {
  return width >= 560
}

function lineNames (panels: readonly Panel[]): string[] {
  return [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))]
}

/** Where the panels begin: below as many rows as the legend's entries take. */
function topOf (names: readonly string[], width: number): number {
  let [rows, used] = [1, 0]
  for (const name of names) {
    const own = 60 + name.length * FONT_SIZE * 0.62
    if (used > 0 && used + own > width) [rows, used] = [rows + 1, 0]
    used += own
  }
  return 32 + LEGEND_ROW * rows
}

export function doseResponse (result: StreamsResult, size: Size): string {
  const rows = isWide(size.width) ? panelsOf(result) : panelsOf(result).flat().map((panel) => [panel])
  const panels = rows.flatMap((row, line) => row.map((panel, column) => ({ panel, line, column, columns: row.length })))
  const names = lineNames(panels.map(({ panel }) => panel))
  const top = topOf(names, size.width)
  const style = (name: string) => styleAt(names.indexOf(name) + 1)
  const columnWidth = (columns: number): number => (size.width - 20) / columns
  return renderSvg(`dose${size.width}`, 'Dose-response: the outcomes of the sweep over each of its factors', {
    legend: legend(names.filter((name) => name !== '').map((name) => ({ name, icon: style(name).symbol }))),
    grid: panels.map(({ line, column, columns }) => ({ left: column * columnWidth(columns) + 64, width: columnWidth(columns) - 92, top: top + line * (PANEL_HEIGHT + GAP), height: PANEL_HEIGHT })),
    xAxis: panels.map(({ panel }, index) => ({ ...scaleOf(panel.factor, 'x', panel.doses, 6, isGeometric(panel)), gridIndex: index })),
    yAxis: panels.map(({ panel }, index) => ({ ...scaleOf(panel.metric.label, 'y', valuesOf(panel), 9, isLog(panel)), gridIndex: index })),
    series: panels.flatMap(({ panel }, index) => seriesOf(panel, index, style))
  }, size)
}

function valuesOf ({ series, levels }: Panel): number[] {
  return [...series.flatMap(({ points, blocks }) => [...points, ...blocks].map(([, y]) => y)), ...levels.map(({ value }) => value)]
}

/** Values that differ twentyfold would leave the small ones on the axis: one of them may be the cliff that the sweep is about. */
function isLog (panel: Panel): boolean {
  const values = valuesOf(panel)
  return panel.metric.log || (Math.min(...values) > 0 && Math.max(...values) / Math.min(...values) >= 20)
}

/** Doses that double again and again stand at equal distances. */
function isGeometric ({ doses: [least = 0, ...more] }: Panel): boolean {
  return least > 0 && (more.at(-1) ?? least) / least >= 4
}

function scaleOf (name: string, where: 'x' | 'y', values: readonly number[], mostTicks: number, log: boolean) {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (where === 'y') return log ? logAxis(name, where, logRange(values), mostTicks) : valueAxis(name, where, { min: 0, max: niceCeiling(most) })
  if (log) return logAxis(name, where, [least / 1.3, most * 1.3], mostTicks, values)
  const margin = Math.max(0.08 * (most - least), 0.1)
  return valueAxis(name, where, {
    min: least - margin,
    max: most + margin,
    label: { customValues: apart(values, most - least), formatter: (value: number) => formatNumber(value) },
    axisTick: { show: true, lineStyle: { color: FAINT }, customValues: [...values] }
  })
}

/** Values whose labels do not run into each other; both ends are among them. */
function apart (values: readonly number[], range: number): number[] {
  const last = values.at(-1)
  return values.reduce<number[]>((kept, value) => {
    const clear = kept.every((other) => Math.abs(value - other) >= 0.09 * range) && (last === undefined || value === last || last - value >= 0.09 * range)
    return clear ? [...kept, value] : kept
  }, [])
}

function seriesOf (panel: Panel, index: number, style: (name: string) => ReturnType<typeof styleAt>) {
  const x = (value: number): number => isGeometric(panel) ? Math.log10(value) : value
  const y = (value: number): number => isLog(panel) ? Math.log10(value) : value
  const place = { xAxisIndex: index, yAxisIndex: index }
  return [
    ...panel.series.flatMap(({ name, points, blocks, joined }) => {
      const { colour, dash, symbol } = style(name)
      return [
        { ...place, type: 'scatter', symbol: 'circle', symbolSize: 4, silent: true, itemStyle: { color: colour, opacity: 0.45 }, data: blocks.map(([a, b]) => [x(a), y(b)]) },
        { ...place, type: 'line', name, symbol, symbolSize: 10, showSymbol: true, itemStyle: { color: colour }, lineStyle: { color: colour, width: joined ? 2 : 0, type: dash }, data: points.map(([a, b]) => [x(a), y(b)]) }
      ]
    }),
    {
      ...place,
      type: 'line',
      data: [],
      markLine: {
        symbol: 'none',
        silent: true,
        lineStyle: { color: FAINT, type: 'dotted', width: 1.5 },
        data: [...panel.marks.map(({ at, label }) => ({
          xAxis: x(at),
          name: label,
          lineStyle: { color: INK, type: 'dashed' as const, width: 1.5 },
          label: { color: INK, fontSize: FONT_SIZE - 2, position: 'insideEndTop' as const, formatter: '{b}' }
        })), ...panel.levels.map(({ name, value }, at) => ({
          yAxis: y(value),
          name,
          // Levels of several baselines lie close together.
          label: { color: INK, fontSize: FONT_SIZE - 2, position: at % 2 === 0 ? 'insideStartTop' : 'insideEndTop', formatter: '{b}' }
        }))]
      }
    }
  ]
}
