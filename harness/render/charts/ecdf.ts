/** Share of all offered calls that had their first token by then. */
import { counted, formatCount, formatPercent } from '../format.js'
import { conditionIds } from '../labels.js'
import { countedBlocks, judgedCalls, logRange, thin } from './data.js'
import { logAxis } from './log-axis.js'
import { FONT_SIZE, legend, limitLines, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import { intervalOf, resampled } from '../../stats/bootstrap.js'
import { seededRandom } from '../../stats/random.js'
import type { Point } from './data.js'
import type { Size } from './style.js'
import type { Evidence, OpenLoopResult } from '../../types.js'

interface BlockCurve {
  readonly offered: number
  /** Ascending. */
  readonly ttftsMs: readonly number[]
}

interface Curve extends BlockCurve {
  readonly condition: string
  readonly name: string
  readonly blocks: readonly BlockCurve[]
}

function curve (evidence: Evidence, result: OpenLoopResult, condition: string): Curve {
  const blocks = countedBlocks(evidence, result, condition).map((block): BlockCurve => {
    const calls = judgedCalls(block)
    return { offered: calls.length, ttftsMs: calls.flatMap((call) => call.firstMs === undefined ? [] : [call.firstMs - call.intendedMs]).sort((a, b) => a - b) }
  })
  const offered = blocks.reduce((sum, block) => sum + block.offered, 0)
  return { condition, name: `${condition} (n = ${formatCount(offered)}, ${counted(blocks.length, 'block')})`, offered, ttftsMs: blocks.flatMap((block) => block.ttftsMs).sort((a, b) => a - b), blocks }
}

/** Places on the axis at which the band is known. */
const BAND_POINTS = 80
const REPLICATES = 400

/** Pointwise 95 % band by resampling whole blocks, as its outline: along the lower end and back along the upper one. Empty with fewer than two blocks. */
function band ({ blocks }: Curve, range: readonly [number, number]): Point[] {
  if (blocks.length < 2) return []
  const [from, to] = range.map(Math.log10) as [number, number]
  const places = Array.from({ length: BAND_POINTS + 1 }, (_, i) => from + (to - from) * i / BAND_POINTS)
  const within = blocks.map(({ ttftsMs }) => places.map((place) => ttftsMs.findLastIndex((ms) => ms <= 10 ** place) + 1))
  const random = seededRandom(1)
  const shares: number[][] = places.map(() => [])
  for (let r = 0; r < REPLICATES; r += 1) {
    const weights = resampled(blocks.length, random)
    const offered = blocks.reduce((sum, block, b) => sum + block.offered * (weights[b] ?? 0), 0)
    if (offered > 0) shares.forEach((own, i) => own.push(within.reduce((sum, counts, b) => sum + (counts[i] ?? 0) * (weights[b] ?? 0), 0) / offered))
  }
  const ends = shares.map((own) => intervalOf(own, 0.95) ?? [0, 0])
  return [...places.map((place, i): Point => [place, ends[i]?.[0] ?? 0]), ...places.map((place, i): Point => [place, ends[i]?.[1] ?? 0]).reverse()]
}

function steps ({ ttftsMs, offered }: Curve, range: readonly [number, number]): Point[] {
  const points = ttftsMs.map((ms, index): Point => [Math.log10(Math.max(ms, range[0])), (index + 1) / offered])
  const last = points.at(-1)
  return last === undefined ? [] : [[Math.log10(range[0]), 0], ...thin(points, 240), [Math.log10(range[1]), last[1]]]
}

export function ttftEcdf (evidence: Evidence, result: OpenLoopResult, size: Size): string {
  const curves = conditionIds(result).map((id) => curve(evidence, result, id)).filter((each) => each.offered > 0)
  const range = logRange([...curves.flatMap((each) => each.ttftsMs), ...Object.values(result.workload.ttftLimitMs)])
  const narrow = size.width < 560
  return renderSvg(`ecdf${size.width}`, 'Share of all offered calls by time to first token, one curve for each condition', {
    grid: { left: 66, right: narrow ? 26 : 128, top: narrow ? 78 : 58, bottom: 52 },
    legend: legend(curves.map(({ name }) => ({ name }))),
    xAxis: logAxis(narrow ? 'time to first token (ms, log scale)' : 'time to first token since the intended send (ms, log scale)', 'x', range, narrow ? 7 : 14),
    yAxis: valueAxis('share of all offered calls', 'y', { min: 0, max: 1, label: { formatter: formatPercent } }),
    series: [
      ...curves.map((each) => {
        const outline = band(each, range)
        return {
          type: 'custom',
          data: outline.length === 0 ? [] : [0],
          silent: true,
          z: 1,
          renderItem: (_: unknown, api: { readonly coord: (point: Point) => number[] }) => ({ type: 'polygon', shape: { points: outline.map((point) => api.coord(point)) }, style: { fill: styleOf(result, each.condition).colour, opacity: 0.14 } })
        }
      }),
      ...curves.map((each) => {
        const data = steps(each, range)
        const { colour, dash, symbol } = styleOf(result, each.condition)
        const share = each.ttftsMs.length / each.offered
        return {
          type: 'line',
          name: each.name,
          step: 'end',
          data,
          symbol,
          symbolSize: (_: unknown, { dataIndex }: { dataIndex: number }) => dataIndex > 0 && dataIndex % Math.ceil(data.length / 8) === 0 ? 8 : 0,
          showAllSymbol: true,
          lineStyle: { color: colour, width: 2.5, type: dash },
          itemStyle: { color: colour },
          endLabel: { show: !narrow, formatter: share < 1 ? `${formatPercent(share)} got\na first token` : 'all got a\nfirst token', color: colour, fontSize: FONT_SIZE - 1, distance: 6 },
          labelLayout: { moveOverlap: 'shiftY' }
        }
      }),
      {
        type: 'line',
        data: [],
        markLine: limitLines(result.workload.ttftLimitMs, 'xAxis', Math.log10)
      }
    ]
  }, size)
}
