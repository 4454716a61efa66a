import { openLoopDraft } from '../plan/open-loop-plan.js'
import { withPredictions } from '../plan/plan.js'
import { streamsDraft } from '../plan/streams-plan.js'
import { usualClasses } from '../plan/traffic.js'
import type { Plan } from '../types.js'
import { calibrate } from './calibrate.js'
import { calibrateStreams } from './calibrate-streams.js'
import type { ExperimentInput } from './experiment.js'
import type { Prepared } from './prepare.js'
import { bareClass } from './traffic.js'

/** Calibrates, then names everything that the run will be judged by. */
export async function makePlan (input: ExperimentInput, prepared: Prepared): Promise<Plan> {
  const { load, progress, signal, seed } = input
  const folder = `${input.folder}/calibration`
  const onStep = (text: string): void => progress.step(text, 0)
  if (load.kind === 'open-loop') {
    const { server, placement } = prepared
    const calibration = await calibrate({ preset: input.preset, classes: usualClasses(load.classes).map(bareClass), server, placement, seed, folder, signal, onStep })
    return withPredictions(openLoopDraft({ ...input, ...load, calibration, createdAt: new Date().toISOString() }), prepared.manifest)
  }
  const calibration = await calibrateStreams({ conditions: input.conditions, workload: load.workload, prepared, promptSeed: seed, folder, signal, onStep })
  return withPredictions(streamsDraft({ ...input, ...load, model: input.model, calibration, createdAt: new Date().toISOString() }), prepared.manifest)
}
