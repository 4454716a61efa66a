/** What each call of one pair of blocks waited, by when it was to be sent: an unprotected queue grows as long as the load lasts. */
import { conditionIds } from '../labels.js'
import { loadCalls, representativeBlocks } from './data.js'
import { CROSS, FONT_SIZE, INK, legend, limitLines, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { Block, CallSample, Evidence, OpenLoopResult } from '../../types.js'

const KINDS = [
  { name: 'first token', pick: (call: CallSample) => call.firstMs, symbol: undefined, size: 6 },
  { name: 'refused', pick: (call: CallSample) => call.outcome === 'refused' ? call.doneMs : undefined, symbol: CROSS, size: 8 },
  { name: 'never answered', pick: (call: CallSample) => call.firstMs === undefined && call.outcome !== 'refused' ? call.doneMs : undefined, symbol: 'emptyDiamond', size: 9 }
] as const

function seriesOf (result: OpenLoopResult, id: string, block: Block) {
  const { colour, symbol } = styleOf(result, id)
  return KINDS.flatMap((kind) => {
    const data = loadCalls(block).flatMap((call) => {
      const atMs = kind.pick(call)
      return atMs === undefined ? [] : [[(call.intendedMs - block.evidence.loadFromMs) / 1000, (atMs - call.intendedMs) / 1000]]
    })
    const icon = kind.symbol ?? symbol
    return data.length === 0 ? [] : [{ type: 'scatter', name: `${id}: ${kind.name}`, symbol: icon, symbolSize: kind.size, itemStyle: { color: colour, opacity: 0.8 }, data }]
  })
}

export function ttftOverTime (evidence: Evidence, result: OpenLoopResult, size: Size): string {
  const blocks = representativeBlocks(evidence, result)
  const series = conditionIds(result).flatMap((id) => {
    const block = blocks.get(id)
    return block === undefined ? [] : seriesOf(result, id, block)
  })
  const { rampSeconds, windowSeconds, ttftLimitMs } = result.workload
  const narrow = size.width < 560
  const rowsOfLegend = Math.ceil(series.length * (narrow ? 0.5 : 0.25))
  return renderSvg(`growth${size.width}`, 'Time to first token of each call since the load started, one block of each condition', {
    grid: { left: 56, right: 20, top: 24 + 24 * rowsOfLegend, bottom: 52 },
    legend: { ...legend(series.map(({ name, symbol }) => ({ name, icon: symbol }))), itemWidth: 14 },
    xAxis: valueAxis('intended send, since the load started (s)', 'x', { min: 0, max: rampSeconds + windowSeconds, label: { showMaxLabel: false } }),
    yAxis: valueAxis('time to first token (s)', 'y', { gap: 36, min: 0 }),
    series: [...series, {
      type: 'line',
      data: [],
      markLine: limitLines(ttftLimitMs, 'yAxis', (ms) => ms / 1000),
      ...(rampSeconds > 0
        ? { markArea: { silent: true, itemStyle: { color: '#000000', opacity: 0.06 }, label: { color: INK, fontSize: FONT_SIZE - 1, position: 'insideTop' }, data: [[{ name: narrow ? '' : 'ramp,\nnot judged', xAxis: 0 }, { xAxis: rampSeconds }]] } }
        : {})
    }]
  }, size)
}
