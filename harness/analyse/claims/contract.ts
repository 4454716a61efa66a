import type { Block, Cell, Claim, Contrast, Manifest, OpenLoopPlan, Plan, Prediction, StreamsPlan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import type { StreamsView } from '../streams-summary.js'

/** All that is known before the first block; the calibration is in it. */
export type OpenLoopDraft = Omit<OpenLoopPlan, 'predictions'>
export type StreamsDraft = Omit<StreamsPlan, 'predictions'>
export type PlanDraft = OpenLoopDraft | StreamsDraft

/** What a check has of a kind of load: a block with what is derived from it, the plan, and the plan before anything was predicted. */
export interface Kind { readonly view: unknown, readonly plan: Plan, readonly draft: PlanDraft }
export interface OfOpenLoop { readonly view: OpenLoopView, readonly plan: OpenLoopPlan, readonly draft: OpenLoopDraft }
export interface OfStreams { readonly view: StreamsView, readonly plan: StreamsPlan, readonly draft: StreamsDraft }

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
