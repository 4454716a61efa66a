import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { ensureModel } from '../../models/ensure-model.js'
import { ensureServer } from '../../models/install/index.js'
import type { ServerOptions } from '../../models/types.js'
import { admissionPredictions } from '../analyse/claims/admission-predictions.js'
import { blockSeconds, makePlan, planBytes, plannedSeconds } from '../plan/plan.js'
import type { ExperimentFile } from '../plan/experiments.js'
import type { Preset } from '../plan/presets.js'
import type { Rate } from '../plan/workload.js'
import type { Progress } from '../render/progress.js'
import type { Condition, Plan, WorkloadClass } from '../types.js'
import { runBlock } from './block.js'
import { calibrate } from './calibrate.js'
import { makeManifest } from './manifest.js'
import { allowedCpus, placeOn } from './placement.js'
import { missing, preflight } from './preflight.js'

export interface CompareInput {
  readonly experiment: Pick<ExperimentFile, 'name' | 'question'>
  readonly conditions: readonly Condition[]
  readonly preset: Preset
  readonly classes: readonly WorkloadClass[]
  readonly rate: Rate
  readonly seed: number
  readonly slots: number
  readonly threads?: number
  readonly model: string
  readonly llamaServer?: string
  readonly ttftLimitMs?: number
  /** Run folder; must be empty or absent. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** Tokens of context per slot: room for every prompt of the default mix and its output. */
const slotContextTokens = 2048
/** `-b`: a long prompt freezes the others for at most this many tokens (L6, L7). */
const batchTokens = 512

/**
 * Runs the blocks of a comparison and leaves evidence files in `folder`; judges nothing. After an abort it returns
 * normally: the blocks that were finished are valid, the one under way is removed.
 */
export async function runCompare (input: CompareInput): Promise<void> {
  const { folder, progress, signal } = input
  const checks = preflight()
  for (const check of checks.filter(check => !check.ok)) progress.note(`${check.what}: missing. Lost by it: ${check.lost}. To mend: ${check.mend}`)
  const binary = await ensureServer({ ...(input.llamaServer === undefined ? {} : { explicit: input.llamaServer }), onProgress: text => progress.step(text, 0) })
  const model = await ensureModel(input.model, { onProgress: ({ step, doneBytes, totalBytes }) => progress.step(`model ${input.model}: ${step}, ${Math.floor(10 * doneBytes / totalBytes) * 10} %`, 0) })
  signal.throwIfAborted()
  const placement = placeOn(allowedCpus())
  const server: Omit<ServerOptions, 'logPath'> = {
    binary,
    model,
    slots: input.slots,
    slotContextTokens,
    threads: input.threads ?? placement.serverCpus.length,
    batchTokens,
    ...(process.platform === 'linux' ? { cpus: placement.serverCpus } : {})
  }
  mkdirSync(folder, { recursive: true })
  const calibration = await calibrate({ preset: input.preset, classes: input.classes, server, placement, seed: input.seed, folder: `${folder}/calibration`, signal, onStep: text => progress.step(text, 0) })
  const plan = makePlan({
    experiment: input.experiment.name,
    question: input.experiment.question,
    preset: input.preset,
    pairs: input.preset.pairs,
    seed: input.seed,
    conditions: input.conditions,
    classes: input.classes,
    rate: input.rate,
    slots: input.slots,
    ...(input.ttftLimitMs === undefined ? {} : { ttftLimitMs: input.ttftLimitMs }),
    calibration,
    predictions: input.conditions.some(condition => condition.policies.includes('admission')) ? admissionPredictions(input.slots) : [],
    createdAt: new Date().toISOString()
  })
  const { batchTokens: b, slotContextTokens: c, slots, threads } = server
  const manifest = makeManifest({ model, binary, slots, threads, batchTokens: b, slotContextTokens: c, placement, missing: missing(checks) })
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest, null, 2) + '\n')
  writeFileSync(`${folder}/plan.json`, planBytes(plan).bytes)
  for (const line of announce(plan)) progress.note(line)
  await runBlocks(input, plan, server, placement)
}

async function runBlocks (input: CompareInput, plan: Plan, server: Omit<ServerOptions, 'logPath'>, placement: ReturnType<typeof placeOn>): Promise<void> {
  const { folder, progress, signal } = input
  const seconds = blockSeconds(plan)
  const steps = {
    start: ['start llama-server and gateway', 0],
    capacity: ['capacity, closed loop at full slots', seconds.capacity],
    load: [`load, ${plan.workload.ratePerSecond.toFixed(1)} requests/s`, seconds.load]
  } as const
  for (const block of plan.blocks) {
    const blockFolder = `${folder}/blocks/${String(block.index).padStart(2, '0')}-${block.arm}`
    const policies = plan.conditions.find(condition => condition.id === block.arm)?.policies ?? []
    const onStep = (step: keyof typeof steps): void => {
      const [text, secondsIn] = steps[step]
      progress.step(`block ${block.index} of ${plan.blocks.length}, ${block.arm}: ${text}`, (block.index - 1 + secondsIn / seconds.whole) / plan.blocks.length)
    }
    try {
      await runBlock({ plan: block, workload: plan.workload, policies, server, placement, folder: blockFolder, signal, onStep })
    } catch (error) {
      // A block that failed keeps its logs; without block.json it does not count.
      if (!signal.aborted) throw error
      rmSync(blockFolder, { recursive: true, force: true })
      return
    }
  }
}

/** What will be measured and what it cannot show, said before the first block. */
export function announce (plan: Plan): string[] {
  const { workload, expected, calibration } = plan
  const limits = Object.entries(workload.ttftLimitMs).map(([name, ms]) => `${name} ${ms} ms`).join(', ')
  return [
    `capacity ${calibration.capacityPerSecond.toFixed(2)} answers/s, offered ${workload.ratePerSecond.toFixed(2)}/s; TTFT limit: ${limits}`,
    `${plan.blocks.length} blocks, about ${Math.ceil(plannedSeconds(plan) / 60)} min; about ${expected.answeredPerArm} answered calls an arm`,
    ...(expected.verdict ? [] : [`${plan.blocks.length / 2} pairs describe; they carry no verdict (8 do: --preset laptop)`]),
    ...expected.unsupported.map(what => `not supported by this plan: ${what}`)
  ]
}
