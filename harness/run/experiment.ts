import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { planBytes, type PlanInput } from '../plan/plan.js'
import { claimEntry } from '../analyse/claims/index.js'
import type { StreamsPrimary } from '../analyse/outcomes.js'
import { findGroupHost } from '../cgroups/index.js'
import type { GroupHost } from '../cgroups/contract.js'
import type { Knob } from '../knobs/contract.js'
import { parseKnobs } from '../knobs/index.js'
import type { Rate } from '../plan/workload.js'
import type { Progress } from '../render/progress.js'
import type { BlockPlan, Condition, Manifest, Plan, StreamsWorkload, WorkloadClass } from '../types.js'
import { announce } from './announce.js'
import { runBlock, type BlockStep } from './block.js'
import { makePlan } from './make-plan.js'
import { prepare, serverOf, type Prepared } from './prepare.js'
import { stepsOf } from './steps.js'

/** The load of all conditions, before its calibration. */
export type LoadSpec =
  | { readonly kind: 'open-loop', readonly classes: readonly WorkloadClass[], readonly rate: Rate, readonly ttftLimitMs?: number, readonly slots: number }
  | { readonly kind: 'streams', readonly workload: StreamsWorkload, readonly primary: StreamsPrimary }

export interface ExperimentInput extends Omit<PlanInput, 'createdAt'> {
  readonly load: LoadSpec
  readonly threads?: number
  readonly model: string
  readonly llamaServer?: string
  /** Run folder; must be empty or absent. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly progress: Progress
  readonly knobsFor?: (specs: readonly string[]) => Knob[]
  readonly groupHost?: () => Promise<GroupHost>
}

/**
 * Runs the blocks of an experiment and leaves evidence files in `folder`; judges nothing. After an abort it returns
 * normally: the blocks that were finished are valid, the one under way is removed.
 * @throws before anything is started when a claim or a knob is unknown, or a knob needs a control group that cannot be made here
 */
export async function runExperiment (input: ExperimentInput): Promise<void> {
  const { folder, progress } = input
  for (const id of input.claims) claimEntry(id)
  const prepared = await prepare(input, input.knobsFor ?? parseKnobs, input.groupHost ?? findGroupHost)
  mkdirSync(folder, { recursive: true })
  const plan = await makePlan(input, prepared)
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(prepared.manifest, null, 2) + '\n')
  writeFileSync(`${folder}/plan.json`, planBytes(plan).bytes)
  for (const line of announce(plan, prepared.manifest)) progress.note(line)
  for (const block of plan.blocks) {
    if (!await finished(input, plan, block, prepared)) return
  }
}

/** False after an abort. A block that failed keeps its logs; without block.json it does not count. */
async function finished (input: ExperimentInput, plan: Plan, block: BlockPlan, prepared: Prepared): Promise<boolean> {
  const { signal } = input
  const folder = `${input.folder}/blocks/${String(block.index).padStart(2, '0')}-${block.condition}`
  const condition = conditionOf(plan, block)
  const { placement } = prepared
  try {
    await runBlock({
      plan: block,
      workload: plan.workload,
      policies: condition.policies,
      knobs: prepared.knobsOf(condition),
      groupHost: prepared.groupHost,
      server: serverOf(prepared, condition),
      placement,
      promptSeed: plan.seed,
      folder,
      signal,
      onStep: stepTeller(input, plan, block, prepared.manifest)
    })
    return true
  } catch (error) {
    if (!signal.aborted) throw error
    rmSync(folder, { recursive: true, force: true })
    return false
  }
}

function conditionOf (plan: Plan, block: BlockPlan): Condition {
  const found = plan.conditions.find(({ id }) => id === block.condition)
  if (found === undefined) throw new Error(`block ${block.index}: the plan has no condition ${JSON.stringify(block.condition)}`)
  return found
}

function stepTeller ({ progress }: ExperimentInput, plan: Plan, block: BlockPlan, manifest: Manifest): (step: BlockStep) => void {
  const steps = stepsOf(plan, block, manifest)
  return step => progress.step(`block ${block.index} of ${plan.blocks.length}, ${block.condition}: ${steps[step].text}`, steps[step].share)
}
