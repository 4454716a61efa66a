/** How the gaps between tokens are spread, on a log axis: periods of the scheduler show as peaks. */
import { formatCount, formatPercent } from '../format.js'
import { conditionIds } from '../labels.js'
import { countedBlocks, judgedCalls, logRange } from './data.js'
import { edgeOf, histogram } from './histogram.js'
import { logAxis } from './log-axis.js'
import { legend, styleOf, valueAxis } from './style.js'
import { renderSvg } from './svg.js'
import type { Point } from './data.js'
import type { Size } from './style.js'
import type { Evidence, Result } from '../../types.js'

export function itlSpectrum (evidence: Evidence, result: Result, size: Size): string {
  const spectra = conditionIds(result).flatMap((id) => {
    const gapsMs = countedBlocks(evidence, result, id).flatMap(judgedCalls).filter(({ outcome }) => outcome === 'answered').flatMap((call) => call.itlMs)
    return gapsMs.length === 0 ? [] : [{ id, name: `${id} (n = ${formatCount(gapsMs.length)} gaps)`, total: gapsMs.length, bins: histogram(gapsMs) }]
  })
  const used = spectra.flatMap(({ bins }) => [...bins.keys()])
  const first = used.reduce((least, bin) => Math.min(least, bin), Infinity)
  const last = used.reduce((most, bin) => Math.max(most, bin), -Infinity)
  const range = logRange(used.length === 0 ? [] : [10 ** edgeOf(first), 10 ** edgeOf(last + 1)])
  const narrow = size.width < 560
  return renderSvg(`itl${size.width}`, 'Histogram of the gaps between tokens, one curve for each condition', {
    grid: { left: 66, right: 26, top: narrow ? 70 : 46, bottom: 52 },
    legend: { ...legend(spectra.map(({ name }) => ({ name }))), itemStyle: { opacity: 0 } },
    xAxis: logAxis('gap between two tokens (ms, log scale)', 'x', range, narrow ? 7 : 14),
    yAxis: valueAxis('share of all gaps', 'y', { min: 0, label: { formatter: formatPercent } }),
    series: spectra.map(({ id, name, total, bins }) => {
      const { colour, dash } = styleOf(result, id)
      const data: Point[] = [[edgeOf(first), 0]]
      for (let bin = first; bin <= last; bin += 1) data.push([edgeOf(bin), (bins.get(bin) ?? 0) / total])
      data.push([edgeOf(last + 1), 0])
      return {
        type: 'line',
        name,
        step: 'end',
        data,
        symbol: 'none',
        lineStyle: { color: colour, width: 2, type: dash },
        itemStyle: { color: colour },
        areaStyle: { color: colour, opacity: 0.1 }
      }
    })
  }, size)
}
