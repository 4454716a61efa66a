/** Share of all offered calls that had their first token by then. */
import { formatCount, formatPercent } from '../format.js'
import { conditionIds } from '../labels.js'
import { countedBlocks, judgedCalls, logRange, thin } from './data.js'
import { logAxis } from './log-axis.js'
import { FONT_SIZE, legend, limitLines, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { Point } from './data.js'
import type { Size } from './style.js'
import type { Evidence, OpenLoopResult } from '../../types.js'

interface Curve {
  readonly condition: string
  readonly name: string
  readonly offered: number
  readonly ttftsMs: readonly number[]
}

function curve (evidence: Evidence, result: OpenLoopResult, condition: string): Curve {
  const calls = countedBlocks(evidence, result, condition).flatMap(judgedCalls)
  const ttftsMs = calls.flatMap((call) => call.firstMs === undefined ? [] : [call.firstMs - call.intendedMs]).sort((a, b) => a - b)
  return { condition, name: `${condition} (n = ${formatCount(calls.length)})`, offered: calls.length, ttftsMs }
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
