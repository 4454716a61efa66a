/** Good requests per second of every block, each against the capacity measured in the same block. */
import { conditionIds } from '../labels.js'
import { axis, FAINT, legend, styleOf } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { OpenLoopResult } from '../../types.js'

/** Width that the conditions of a repeat share, of the distance between two repeats. */
const SPREAD = 0.36

export function goodByBlock (result: OpenLoopResult, size: Size): string {
  const pairs = result.blocks.map((block) => block.pair)
  const last = pairs.reduce((most, pair) => Math.max(most, pair), 1)
  const tick = Math.max(12, Math.min(34, size.width / last / 4))
  const ids = conditionIds(result)
  const used = ids.filter((id) => result.blocks.some((block) => block.condition === id))
  const dodge = (id: string): number => ids.length < 2 ? 0 : SPREAD * (ids.indexOf(id) / (ids.length - 1) - 0.5)
  const narrow = size.width < 560
  const invalid = result.blocks.some((block) => !block.valid)
  return renderSvg(`blocks${size.width}`, 'Good requests per second of every block, with the capacity of the same block', {
    grid: { left: 62, right: 14, top: narrow ? 70 : 48, bottom: 52 },
    legend: {
      ...legend([...used.map((id) => ({ name: `good, ${id}`, icon: styleOf(result, id).symbol })), { name: 'capacity of the block', icon: 'rect' }, ...(invalid ? [{ name: 'block does not count', icon: 'emptyCircle' }] : [])]),
      itemWidth: 18
    },
    xAxis: { ...axis(narrow ? 'pair of blocks' : 'pair of blocks (same arrivals, fresh server each)', 'x'), type: 'value', min: 0.5, max: last + 0.5, interval: 1, axisLabel: { ...axis('', 'x').axisLabel, customValues: Array.from({ length: last }, (_, index) => index + 1), formatter: (pair: number) => String(pair) }, axisTick: { show: false } },
    yAxis: { ...axis('requests/s', 'y', 42), type: 'value', min: 0 },
    series: [
      {
        type: 'scatter',
        name: 'capacity of the block',
        symbol: 'rect',
        symbolSize: [tick, 3],
        itemStyle: { color: FAINT },
        data: result.blocks.map((block) => [block.pair + dodge(block.condition), block.capacityPerSecond])
      },
      ...used.map((id) => ({
        type: 'scatter',
        name: `good, ${id}`,
        symbol: styleOf(result, id).symbol,
        symbolSize: 12,
        itemStyle: { color: styleOf(result, id).colour },
        data: result.blocks.filter((block) => block.condition === id && block.valid).map((block) => [block.pair + dodge(id), block.goodPerSecond])
      })),
      {
        type: 'scatter',
        name: 'block does not count',
        symbol: 'emptyCircle',
        symbolSize: 12,
        itemStyle: { color: FAINT },
        data: result.blocks.filter((block) => !block.valid).map((block) => [block.pair + dodge(block.condition), block.goodPerSecond])
      }
    ]
  }, size)
}
