/** A logarithmic axis with ticks at 1, 2, 5, 10: a value axis over log10, as ECharts labels only whole powers on its own. */
import { formatNumber } from '../format.js'
import { logTicks } from './data.js'
import { axis, RULE } from './style.js'

/** @param ticks where they stand; default: about `mostTicks` round numbers */
export function logAxis (name: string, where: 'x' | 'y', range: readonly [number, number], mostTicks: number, ticks: readonly number[] = logTicks(range[0], range[1], mostTicks)) {
  const base = axis(name, where)
  const customValues = ticks.map((tick) => Math.log10(tick))
  return {
    ...base,
    type: 'value' as const,
    min: Math.log10(range[0]),
    max: Math.log10(range[1]),
    axisLabel: { ...base.axisLabel, customValues, formatter: (value: number) => formatNumber(10 ** value) },
    axisTick: { ...base.axisTick, customValues },
    splitLine: { show: false, lineStyle: { color: RULE } }
  }
}
