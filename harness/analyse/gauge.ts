import type { OsSample } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { judgedSamples, middle } from './window.js'

/** Median over the blocks of a condition of the median reading in the judged window; null when a valid block has no reading. */
export function gauge (views: readonly OpenLoopView[], condition: string, reading: (sample: OsSample) => number | undefined): number | null {
  const blocks = ofCondition(views, condition).map(view => middle(judgedSamples(view.block).flatMap(sample => reading(sample) ?? [])))
  return blocks.includes(null) ? null : middle(blocks.flatMap(value => value ?? []))
}
