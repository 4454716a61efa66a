import type { Block, Cell, Claim, Contrast, Manifest, Plan, Prediction } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import type { StreamsView } from '../streams-summary.js'

/** All that is known before the first block; the calibration is in it. */
export type PlanDraft = Plan extends infer P ? P extends Plan ? Omit<P, 'predictions'> : never : never

/** What analysis made of the blocks: gated summaries, figures and ratios. */
export interface Findings {
  readonly openLoop: readonly OpenLoopView[]
  readonly streams: readonly StreamsView[]
  readonly cells: readonly Cell[]
  readonly contrasts: readonly Contrast[]
}

/** One entry for each experiment that claims something: named in its file (`claim`) and so in plan.json. */
export interface ClaimEntry {
  readonly id: string
  /**
   * Numeric bands that go into plan.json before the run. On a quiet host (`draft.quiet`) they say `equivalent`; a claim whose experiment has no interference to leave out (no setting, burst,
   * leavers or conversations) never sees one: `--no-setting` is refused there.
   */
  predictions (draft: PlanDraft, manifest: Manifest): Prediction[]
  /** Judges the bands of `plan.predictions`: what is not among them was not predicted and its leg is missing. Pure. */
  claims (plan: Plan, blocks: readonly Block[], findings: Findings): Claim[]
}
