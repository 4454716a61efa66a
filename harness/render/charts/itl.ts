/** How the gaps between tokens are spread, on a log axis: periods of the scheduler show as peaks. */
import { formatCount, formatPercent } from '../format.js'
import { conditionIds } from '../labels.js'
import { countedBlocks, judgedCalls, logRange } from './data.js'
import { logAxis } from './log-axis.js'
import { axis, legend, styleOf } from './style.js'
import { renderSvg } from './svg.js'
import type { Point } from './data.js'
import type { Size } from './style.js'
import type { Evidence, Result } from '../../types.js'

const BINS_PER_DECADE = 30
/** Gaps below this are two tokens in one packet. */
const LEAST_MS = 0.1

/** Bin index → gaps. */
function histogram (gapsMs: readonly number[]): Map<number, number> {
  const bins = new Map<number, number>()
  for (const gap of gapsMs) {
    const bin = Math.floor(Math.log10(Math.max(gap, LEAST_MS)) * BINS_PER_DECADE)
    bins.set(bin, (bins.get(bin) ?? 0) + 1)
  }
  return bins
}

export function itlSpectrum (evidence: Evidence, result: Result, size: Size): string {
  const spectra = conditionIds(result).flatMap((id) => {
    const gapsMs = countedBlocks(evidence, result, id).flatMap(judgedCalls).flatMap((call) => call.itlMs)
    return gapsMs.length === 0 ? [] : [{ id, name: `${id} (n = ${formatCount(gapsMs.length)} gaps)`, total: gapsMs.length, bins: histogram(gapsMs) }]
  })
  const used = spectra.flatMap(({ bins }) => [...bins.keys()])
  const first = used.reduce((least, bin) => Math.min(least, bin), Infinity)
  const last = used.reduce((most, bin) => Math.max(most, bin), -Infinity)
  const edge = (bin: number): number => bin / BINS_PER_DECADE
  const range = logRange(used.length === 0 ? [] : [10 ** edge(first), 10 ** edge(last + 1)])
  const narrow = size.width < 560
  return renderSvg(`itl${size.width}`, 'Histogram of the gaps between tokens, one curve for each condition', {
    grid: { left: 66, right: 26, top: narrow ? 70 : 46, bottom: 52 },
    legend: { ...legend(spectra.map(({ name }) => ({ name }))), itemStyle: { opacity: 0 } },
    xAxis: logAxis('gap between two tokens (ms, log scale)', 'x', range, narrow ? 7 : 14),
    yAxis: { ...axis('share of all gaps', 'y'), type: 'value', min: 0, axisLabel: { ...axis('', 'y').axisLabel, formatter: (share: number) => formatPercent(share) } },
    series: spectra.map(({ id, name, total, bins }) => {
      const { colour, dash } = styleOf(result, id)
      const data: Point[] = [[edge(first), 0]]
      for (let bin = first; bin <= last; bin += 1) data.push([edge(bin), (bins.get(bin) ?? 0) / total])
      data.push([edge(last + 1), 0])
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
