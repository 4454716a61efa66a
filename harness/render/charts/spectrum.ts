/** In which gaps the readers of a stream spent their time: one panel for each condition, on one log axis, with what was predicted. */
import { formatCount, formatPercent } from '../format.js'
import { conditionIds } from '../labels.js'
import { countedBlocks, judgedCalls, logRange } from './data.js'
import { histogram, edgeOf } from './histogram.js'
import { logAxis } from './log-axis.js'
import { FONT_SIZE, INK, LIMIT, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { Point } from './data.js'
import type { Size } from './style.js'
import type { Evidence, StreamsResult } from '../../types.js'

const PANEL_HEIGHT = 92
const TOP = 10
const BOTTOM = 54

interface Panel {
  readonly id: string
  readonly gapsMs: readonly number[]
  readonly marks: readonly { readonly atMs: number, readonly label: string }[]
}

function panelsOf (evidence: Evidence, result: StreamsResult): Panel[] {
  return conditionIds(result).flatMap((id) => {
    const gapsMs = countedBlocks(evidence, result, id).flatMap(judgedCalls).filter((call) => call.outcome === 'answered').flatMap((call) => call.itlMs)
    const marks = result.claims.flatMap((claim) => claim.marks ?? []).filter((mark) => mark.condition === id)
    return gapsMs.length === 0 ? [] : [{ id, gapsMs, marks }]
  })
}

export function spectrumHeight (evidence: Evidence, result: StreamsResult): number {
  return TOP + BOTTOM + PANEL_HEIGHT * Math.max(1, panelsOf(evidence, result).length)
}

export function gapSpectrum (evidence: Evidence, result: StreamsResult, size: Size): string {
  const panels = panelsOf(evidence, result)
  const narrow = size.width < 560
  const range = logRange(panels.flatMap(({ gapsMs, marks }) => [...gapsMs, ...marks.map(({ atMs }) => atMs)].map((ms) => Math.max(ms, 0.1))))
  return renderSvg(`spectrum${size.width}`, 'Share of the streaming time by length of the gap between two tokens, one panel for each condition', {
    title: panels.map(({ id, gapsMs }, index) => ({
      text: narrow ? id : `${id} (${formatCount(gapsMs.length)} gaps)`,
      left: 58,
      top: TOP + index * PANEL_HEIGHT,
      padding: 0,
      textStyle: { fontSize: FONT_SIZE, fontWeight: 'normal', color: INK }
    })),
    grid: panels.map((_, index) => ({ left: 58, right: 20, top: TOP + index * PANEL_HEIGHT + 20, height: PANEL_HEIGHT - 36 })),
    xAxis: panels.map((_, index) => {
      const bottom = index === panels.length - 1
      const base = logAxis(bottom ? 'gap between two tokens (ms, log scale)' : '', 'x', range, narrow ? 7 : 14)
      return { ...base, gridIndex: index, axisLabel: { ...base.axisLabel, show: bottom }, splitLine: { show: false } }
    }),
    yAxis: panels.map((_, index) => valueAxis('', 'y', { gridIndex: index, min: 0, max: 1, interval: 0.5, label: { fontSize: FONT_SIZE - 2, formatter: (share: number) => formatPercent(share) } })),
    series: panels.map(({ id, gapsMs, marks }, index) => {
      const { colour } = styleOf(result, id)
      return {
        type: 'line',
        xAxisIndex: index,
        yAxisIndex: index,
        step: 'end',
        symbol: 'none',
        lineStyle: { color: colour, width: 1.8, type: 'solid' },
        areaStyle: { color: colour, opacity: 0.25 },
        data: shareOfTime(gapsMs),
        markLine: {
          symbol: 'none',
          silent: true,
          lineStyle: { color: LIMIT, type: 'dashed', width: 1.5 },
          label: { color: INK, fontSize: FONT_SIZE - 2, position: 'insideEndTop', rotate: 0, formatter: '{b}' },
          data: marks.map(({ atMs, label }) => ({ xAxis: Math.log10(atMs), name: label }))
        }
      }
    })
  }, size)
}

/** A step curve over log10 of the gap: each bin's gaps together, as a share of all gaps together. */
function shareOfTime (gapsMs: readonly number[]): Point[] {
  const bins = histogram(gapsMs, (gap) => gap)
  const total = gapsMs.reduce((sum, gap) => sum + gap, 0)
  const used = [...bins.keys()]
  const [first, last] = [Math.min(...used), Math.max(...used)]
  const points: Point[] = [[edgeOf(first), 0]]
  for (let bin = first; bin <= last; bin += 1) points.push([edgeOf(bin), total > 0 ? (bins.get(bin) ?? 0) / total : 0])
  return [...points, [edgeOf(last + 1), 0]]
}
