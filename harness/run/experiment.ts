import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { planBytes, type PlanInput } from '../plan/plan.js'
import { claimEntry } from '../analyse/claims/index.js'
import type { StreamsPrimary } from '../analyse/outcomes.js'
import { isOpenLoop } from '../analyse/plan-kind.js'
import { readEvidence } from '../analyse/read.js'
import { findGroupHost } from '../cgroups/index.js'
import type { GroupHost } from '../cgroups/contract.js'
import type { Knob } from '../knobs/contract.js'
import { parseKnobs } from '../knobs/index.js'
import type { SweepFile } from '../plan/experiment-file.js'
import { nextLimit, probeOf, type Probe } from '../plan/limit-search.js'
import { workloadOf } from '../plan/condition-workload.js'
import type { ClassSpec, TrafficSpec } from '../plan/traffic.js'
import type { Rate } from '../plan/workload.js'
import type { Progress } from '../render/progress.js'
import type { BlockEvidence, BlockPlan, Condition, LimitSearch, Manifest, Plan, StreamsWorkload } from '../types.js'
import { announce } from './announce.js'
import { runBlock, type BlockStep, type ConditionTraffic } from './block.js'
import { makePlan } from './make-plan.js'
import { prepare, serverOf, type Prepared } from './prepare.js'
import { runSparePairs } from './spare-pairs.js'
import { blocksOf, stepsOf } from './steps.js'
import { withUndo } from './undo-stack.js'
import { yardstickFor, type Yardstick } from './yardstick.js'

/** The load of all conditions, before its calibration. */
export type LoadSpec =
  | { readonly kind: 'open-loop', readonly classes: readonly ClassSpec[], readonly rate: Rate, readonly traffic?: TrafficSpec, readonly ttftLimitMs?: number, readonly slots: number }
  | { readonly kind: 'streams', readonly workload: StreamsWorkload, readonly primary: StreamsPrimary, readonly outcomes?: SweepFile['outcomes'], readonly search?: SweepFile['search'] }

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
  const probes: Probe[] = []
  await withUndo(async undo => {
    const yardstick = isOpenLoop(plan) ? undefined : yardstickFor({ prepared, conditions: plan.conditions, folder: `${folder}/calibration`, signal: input.signal }, undo)
    for (const block of plan.blocks) {
      const evidence = await finished(input, plan, block, prepared, probes, yardstick)
      if (evidence === undefined) return
      const probe = searchIn(plan) === undefined ? undefined : probeMade(plan, block, evidence)
      if (probe !== undefined) probes.push(probe)
    }
  })
  if (isOpenLoop(plan) && !input.signal.aborted) {
    await runSparePairs(plan, {
      measured: async () => (await readEvidence(folder)).blocks,
      run: async block => await finished(input, plan, block, prepared, []) !== undefined,
      note: text => progress.note(text)
    })
  }
}

function searchIn (plan: Plan): LimitSearch | undefined {
  return 'search' in plan ? plan.search : undefined
}

function probeMade (plan: Plan, block: BlockPlan, evidence: BlockEvidence): Probe | undefined {
  const search = searchIn(plan)
  if (search === undefined || conditionOf(plan, block).probe === undefined) return undefined
  const probe = probeOf(search, evidence)
  if (probe === undefined) throw new Error(`block ${block.index} (${block.condition}): the group has no limit or no count of refaults, so that the search cannot go on`)
  return probe
}

/** A step of a search gets the limit that the steps before it lead to. */
function chosenIn (plan: Plan, condition: Condition, probes: readonly Probe[]): Condition {
  const search = searchIn(plan)
  return search === undefined || condition.probe === undefined ? condition : { ...condition, knobs: [...condition.knobs, `memory-max=${nextLimit(search, probes)}`] }
}

/** Undefined after an abort. A block that failed keeps its logs; without block.json it does not count. */
async function finished (input: ExperimentInput, plan: Plan, block: BlockPlan, prepared: Prepared, probes: readonly Probe[], yardstick?: Yardstick): Promise<BlockEvidence | undefined> {
  const { signal } = input
  const folder = `${input.folder}/blocks/${String(block.index).padStart(2, '0')}-${block.condition}`
  const condition = chosenIn(plan, conditionOf(plan, block), probes)
  const { placement } = prepared
  try {
    return await runBlock({
      plan: block,
      workload: plan.workload.kind === 'streams' ? workloadOf(plan.workload, condition) : plan.workload,
      ...trafficOf(condition),
      knobs: prepared.knobsOf(condition),
      groupHost: prepared.groupHost,
      server: serverOf(prepared, condition),
      placement,
      promptSeed: plan.seed,
      folder,
      signal,
      ...(yardstick === undefined ? {} : { yardstick: async () => await yardstick.read(condition) }),
      onStep: stepTeller(input, plan, block, prepared.manifest)
    })
  } catch (error) {
    if (!signal.aborted) throw error
    rmSync(folder, { recursive: true, force: true })
    return undefined
  }
}

function trafficOf ({ policies, policyOptions, tellsLimit, retry }: Condition): ConditionTraffic {
  return { policies, ...(policyOptions === undefined ? {} : { policyOptions }), ...(tellsLimit === undefined ? {} : { tellsLimit }), ...(retry === undefined ? {} : { retry }) }
}

function conditionOf (plan: Plan, block: BlockPlan): Condition {
  const found = plan.conditions.find(({ id }) => id === block.condition)
  if (found === undefined) throw new Error(`block ${block.index}: the plan has no condition ${JSON.stringify(block.condition)}`)
  return found
}

function stepTeller ({ progress }: ExperimentInput, plan: Plan, block: BlockPlan, manifest: Manifest): (step: BlockStep) => void {
  const steps = stepsOf(plan, block, manifest)
  return step => progress.step(`${block.index > plan.blocks.length ? 'spare block' : 'block'} ${block.index} of ${blocksOf(plan, block)}, ${block.condition}: ${steps[step].text}`, steps[step].share)
}
