/** Good requests per second of every block, each against the capacity measured in the same block. */
import { ARMS } from '../labels.js'
import { ARM_STYLES, axis, FAINT, legend } from './style.js'
import { renderSvg } from './svg.js'
import type { Size } from './style.js'
import type { Result } from '../../types.js'

const DODGE = { before: -0.18, after: 0.18 } as const

export function goodByBlock (result: Result, size: Size): string {
  const pairs = result.blocks.map((block) => block.pair)
  const last = pairs.reduce((most, pair) => Math.max(most, pair), 1)
  const tick = Math.max(12, Math.min(34, size.width / last / 4))
  const used = ARMS.filter((arm) => result.blocks.some((block) => block.arm === arm))
  const narrow = size.width < 560
  const invalid = result.blocks.some((block) => !block.valid)
  return renderSvg(`blocks${size.width}`, 'Good requests per second of every block, with the capacity of the same block', {
    grid: { left: 62, right: 14, top: narrow ? 70 : 48, bottom: 52 },
    legend: {
      ...legend([...used.map((arm) => ({ name: `good, ${arm}`, icon: ARM_STYLES[arm].symbol })), { name: 'capacity of the block', icon: 'rect' }, ...(invalid ? [{ name: 'block does not count', icon: 'emptyCircle' }] : [])]),
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
        data: result.blocks.map((block) => [block.pair + DODGE[block.arm], block.capacityPerSecond])
      },
      ...used.map((arm) => ({
        type: 'scatter',
        name: `good, ${arm}`,
        symbol: ARM_STYLES[arm].symbol,
        symbolSize: 12,
        itemStyle: { color: ARM_STYLES[arm].colour },
        data: result.blocks.filter((block) => block.arm === arm && block.valid).map((block) => [block.pair + DODGE[arm], block.goodPerSecond])
      })),
      {
        type: 'scatter',
        name: 'block does not count',
        symbol: 'emptyCircle',
        symbolSize: 12,
        itemStyle: { color: FAINT },
        data: result.blocks.filter((block) => !block.valid).map((block) => [block.pair + DODGE[block.arm], block.goodPerSecond])
      }
    ]
  }, size)
}
