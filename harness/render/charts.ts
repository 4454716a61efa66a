/** All charts of a report: each is drawn twice, for a wide and for a narrow page. */
import { isOpenLoop } from '../analyse/plan-kind.js'
import { workByBlock } from './charts/blocks.js'
import { doseHeight, doseResponse } from './charts/dose.js'
import { ttftEcdf } from './charts/ecdf.js'
import { forest, forestHeight } from './charts/forest.js'
import { ttftOverTime } from './charts/growth.js'
import { itlSpectrum } from './charts/itl.js'
import { osPanels, panelsHeight } from './charts/panels.js'
import { allDescribed } from './headline.js'
import { gapSpectrum, spectrumHeight } from './charts/spectrum.js'
import type { Size } from './charts/style.js'
import type { Evidence, OpenLoopResult, Result, StreamsResult } from '../types.js'

export const WIDE_PX = 860
export const NARROW_PX = 380

export interface Chart {
  readonly id: 'blocks' | 'ecdf' | 'growth' | 'panels' | 'forest' | 'itl' | 'dose' | 'spectrum'
  readonly wide: string
  readonly narrow: string
}

/** In the order of the report. SVG text, self-contained; every chart can be drawn from empty evidence. */
export function renderCharts (evidence: Evidence, result: Result): Chart[] {
  return isOpenLoop(result) ? openLoopCharts(evidence, result) : streamsCharts(evidence, result)
}

function openLoopCharts (evidence: Evidence, result: OpenLoopResult): Chart[] {
  return [
    both('blocks', (size) => workByBlock(result, size), 340),
    both('ecdf', (size) => ttftEcdf(evidence, result, size), 400, 360),
    both('growth', (size) => ttftOverTime(evidence, result, size), 400, 380),
    panels(evidence, result),
    forestOf(result),
    both('itl', (size) => itlSpectrum(evidence, result, size), 340)
  ]
}

function streamsCharts (evidence: Evidence, result: StreamsResult): Chart[] {
  const [wide, narrow] = [doseHeight(result, { width: WIDE_PX }), doseHeight(result, { width: NARROW_PX })]
  return [
    ...(wide > 0 ? [both('dose', (size) => doseResponse(result, size), wide, narrow)] : []),
    ...(result.design === 'sweep' ? [] : [both('blocks', (size) => workByBlock(result, size), 340)]),
    both('spectrum', (size) => gapSpectrum(evidence, result, size), spectrumHeight(evidence, result)),
    panels(evidence, result),
    // Single ratios without intervals are in the table of conditions.
    ...(result.design === 'sweep' && allDescribed(result) ? [] : [forestOf(result)])
  ]
}

function both (id: Chart['id'], draw: (size: Size) => string, wideHeight: number, narrowHeight = wideHeight): Chart {
  return { id, wide: draw({ width: WIDE_PX, height: wideHeight }), narrow: draw({ width: NARROW_PX, height: narrowHeight }) }
}

function panels (evidence: Evidence, result: Result): Chart {
  return both('panels', (size) => osPanels(evidence, result, size), panelsHeight(evidence, result))
}

function forestOf (result: Result): Chart {
  return both('forest', (size) => forest(result, size), forestHeight(result, 'wide'), forestHeight(result, 'narrow'))
}
