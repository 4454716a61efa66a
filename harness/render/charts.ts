/** All charts of a report: each is drawn twice, for a wide and for a narrow page. */
import { goodByBlock } from './charts/blocks.js'
import { ttftEcdf } from './charts/ecdf.js'
import { forest, forestHeight } from './charts/forest.js'
import { ttftOverTime } from './charts/growth.js'
import { itlSpectrum } from './charts/itl.js'
import { isOpenLoop } from '../analyse/plan-kind.js'
import { osPanels, panelsHeight } from './charts/panels.js'
import type { Evidence, Result } from '../types.js'

export const WIDE_PX = 860
export const NARROW_PX = 380

export interface Chart {
  readonly id: 'blocks' | 'ecdf' | 'growth' | 'panels' | 'forest' | 'itl'
  readonly wide: string
  readonly narrow: string
}

/** In the order of the report. SVG text, self-contained; every chart can be drawn from empty evidence. */
export function renderCharts (evidence: Evidence, result: Result): Chart[] {
  const both = (id: Chart['id'], draw: (size: { width: number, height: number }) => string, wideHeight: number, narrowHeight = wideHeight): Chart => ({
    id, wide: draw({ width: WIDE_PX, height: wideHeight }), narrow: draw({ width: NARROW_PX, height: narrowHeight })
  })
  const panels = panelsHeight(evidence, result)
  return [
    ...(isOpenLoop(result)
      ? [
          both('blocks', (size) => goodByBlock(result, size), 340),
          both('ecdf', (size) => ttftEcdf(evidence, result, size), 400, 360),
          both('growth', (size) => ttftOverTime(evidence, result, size), 400, 380)
        ]
      : []),
    both('panels', (size) => osPanels(evidence, result, size), panels),
    both('forest', (size) => forest(result, size), forestHeight(result, 'wide'), forestHeight(result, 'narrow')),
    both('itl', (size) => itlSpectrum(evidence, result, size), 340)
  ]
}
