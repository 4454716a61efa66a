/** Useful work of every block: good requests per second against the capacity measured in the same block, or tokens per second of streams. */
import { conditionIds } from '../labels.js'
import { isOpenLoop } from '../../analyse/plan-kind.js'
import { FAINT, legend, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { BlockSummary, Result } from '../../types.js'

/** Width that the conditions of a repeat share, of the distance between two repeats. */
const SPREAD = 0.36

interface Marks {
  readonly name: string
  readonly axis: string
  readonly valueOf: (block: BlockSummary) => number
}

const GOOD: Marks = { name: 'good', axis: 'requests/s', valueOf: (block) => 'goodPerSecond' in block ? block.goodPerSecond : 0 }
const TOKENS: Marks = { name: 'tokens/s', axis: 'tokens/s', valueOf: (block) => block.tokensPerSecond }

export function workByBlock (result: Result, size: Size): string {
  const marks = isOpenLoop(result) ? GOOD : TOKENS
  const ids = conditionIds(result)
  const last = result.blocks.reduce((most, block) => Math.max(most, block.pair), 1)
  const used = ids.filter((id) => result.blocks.some((block) => block.condition === id))
  const dodge = (id: string): number => ids.length < 2 ? 0 : SPREAD * (ids.indexOf(id) / (ids.length - 1) - 0.5)
  const narrow = size.width < 560
  const invalid = result.blocks.filter((block) => !block.valid)
  const points = (blocks: readonly BlockSummary[]): number[][] => blocks.map((block) => [block.pair + dodge(block.condition), marks.valueOf(block)])
  const pairs = Array.from({ length: last }, (_, index) => index + 1)
  return renderSvg(`blocks${size.width}`, `${isOpenLoop(result) ? 'Good requests' : 'Tokens'} per second of every block`, {
    grid: { left: 62, right: 14, top: narrow ? 70 : 48, bottom: 52 },
    legend: {
      ...legend([...used.map((id) => ({ name: `${marks.name}, ${id}`, icon: styleOf(result, id).symbol })), ...(isOpenLoop(result) ? [{ name: 'capacity of the block', icon: 'rect' }] : []), ...(invalid.length > 0 ? [{ name: 'block does not count', icon: 'emptyCircle' }] : [])]),
      itemWidth: 18
    },
    xAxis: valueAxis(narrow ? 'pair of blocks' : `pair of blocks (same ${isOpenLoop(result) ? 'arrivals' : 'prompt'}, fresh server each)`, 'x', { min: 0.5, max: last + 0.5, interval: 1, label: { customValues: pairs, formatter: String }, axisTick: { show: false } }),
    yAxis: valueAxis(marks.axis, 'y', { gap: 42, min: 0 }),
    series: [
      ...(isOpenLoop(result)
        ? [{
            type: 'scatter',
            name: 'capacity of the block',
            symbol: 'rect',
            symbolSize: [Math.max(12, Math.min(34, size.width / last / 4)), 3],
            itemStyle: { color: FAINT },
            data: result.blocks.map((block) => [block.pair + dodge(block.condition), block.capacityPerSecond])
          }]
        : []),
      ...used.map((id) => ({
        type: 'scatter',
        name: `${marks.name}, ${id}`,
        symbol: styleOf(result, id).symbol,
        symbolSize: 12,
        itemStyle: { color: styleOf(result, id).colour },
        data: points(result.blocks.filter((block) => block.condition === id && block.valid))
      })),
      { type: 'scatter', name: 'block does not count', symbol: 'emptyCircle', symbolSize: 12, itemStyle: { color: FAINT }, data: points(invalid) }
    ]
  }, size)
}
