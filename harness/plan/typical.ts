import { CATALOGUE } from '../../models/catalogue.js'
import { parametersOf } from '../../models/synth/shape.js'
import { openLoopDraft } from './open-loop-plan.js'
import { streamsDraft } from './streams-plan.js'
import { plannedSeconds } from './duration.js'
import type { PlanInput } from './plan.js'
import type { StreamsPrimary } from '../analyse/outcomes.js'
import type { Rate } from './workload.js'
import type { ClassSpec, TrafficSpec } from './traffic.js'
import type { DrawnLength, ExpectedSamples, Manifest, StreamsWorkload } from '../types.js'

/** What is asked for, before any server was started. */
export interface Unmeasured extends Omit<PlanInput, 'createdAt'> {
  readonly load:
    | { readonly kind: 'open-loop', readonly classes: readonly ClassSpec[], readonly rate: Rate, readonly traffic?: TrafficSpec, readonly ttftLimitMs?: number, readonly slots: number }
    | { readonly kind: 'streams', readonly workload: StreamsWorkload, readonly primary: StreamsPrimary }
  readonly model: string
  readonly threads?: number
}

export interface Estimate {
  readonly blocks: number
  readonly seconds: number
  readonly expected: ExpectedSamples
}

/**
 * A 135M model with Q8_0 weights on one virtual CPU of 2024: milliseconds per prompt token and per generated one, alone and per call of a full
 * server, as the calibrations in bench/measured have them. Others by their parameters.
 */
const reference = { parameters: 134_515_008, promptMs: 5, tokenMs: 10, unloadedPromptMs: 3, serverOwnMs: 0.5 }
/** Emulated CPUs, by the same runs (cpu-quota, memory-limit in the VM). */
const emulatedSlowness = 70
/** Checks of the machine, seconds; a VM boots and gets its disk first, and what it calibrates is in there, too. */
const beforeBlocks = { local: 2, vm: 45 }
const serverStart = 3
/** Analysis and charts of one run. */
const rendering = 2

/**
 * Length and samples of a plan at typical speeds, without a server: the real plan is made from a calibration. Interference that slows the server down is not in it;
 * `secondsPerBlock`, where it was measured, knows it.
 */
export function typicalEstimate (input: Unmeasured, host: 'local' | 'vm', secondsPerBlock?: number): Estimate {
  const slowness = host === 'vm' ? emulatedSlowness : 1
  const { blocks, expected, seconds, calibrationSeconds } = input.load.kind === 'open-loop' ? openLoop(input, input.load, slowness) : streams(input, input.load, slowness)
  return { blocks, expected, seconds: beforeBlocks[host] + (host === 'local' ? calibrationSeconds : 0) + (secondsPerBlock === undefined ? seconds : blocks * secondsPerBlock) + rendering }
}

type Parts = Estimate & { readonly calibrationSeconds: number }

function usual (length: number | DrawnLength): number {
  return typeof length === 'number' ? length : length.median
}

function openLoop (input: Unmeasured, load: Extract<Unmeasured['load'], { kind: 'open-loop' }>, slowness: number): Parts {
  const scale = slowness * scaleOf(input.model)
  const shares = load.classes.reduce((sum, { share }) => sum + share, 0)
  const workMs = load.classes.reduce((sum, { share, promptWords, maxTokens }) => sum + share / shares * (usual(promptWords) * reference.promptMs + usual(maxTokens) * reference.tokenMs), 0) * scale
  const plan = openLoopDraft({
    ...input,
    ...load,
    calibration: { capacityPerSecond: 1000 / workMs, answers: 16, unloadedTtftMs: Object.fromEntries(load.classes.map(({ name, promptWords }) => [name, usual(promptWords) * reference.promptMs * 1.2 * scale])) },
    createdAt: ''
  })
  const calibrationSeconds = serverStart + input.preset.calibrationSeconds + input.preset.unloadedCalls * workMs / 1000
  return { blocks: plan.blocks.length, expected: plan.expected, calibrationSeconds, seconds: plannedSeconds({ ...plan, predictions: [] }, nothingMeasured) }
}

function streams (input: Unmeasured, load: Extract<Unmeasured['load'], { kind: 'streams' }>, slowness: number): Parts {
  const threadsOf = (threads = input.threads ?? 1): number => threads
  const servers = new Map(input.conditions.map(({ model = input.model, threads }) => [`${model} ${threadsOf(threads)}`, { model, threads: threadsOf(threads) }]))
  const manifest = { model: { ...nothingMeasured.model, name: input.model }, server: { ...nothingMeasured.server, threads: threadsOf() } }
  const plan = streamsDraft({
    ...input,
    // Without the search for a limit, which wants a measurement to begin with; its steps are among the conditions.
    workload: load.workload,
    primary: load.primary,
    calibration: {
      servers: [...servers.values()].map(server => {
        const gapMs = (reference.tokenMs * scaleOf(server.model) + reference.serverOwnMs) * slowness
        return { ...server, gapMs, ttftMs: load.workload.promptWords * reference.unloadedPromptMs * scaleOf(server.model) * slowness, tokensPerSecond: 1000 / gapMs, cpusUsed: null }
      })
    },
    createdAt: ''
  })
  const { calls, clients, predictTokens, warmupCalls, atLeastSeconds = 0 } = load.workload
  // One run of the same streams for each kind of server, behind one call to warm up.
  const calibrationSeconds = plan.calibration.servers.reduce((sum, { tokensPerSecond }) => sum + serverStart + Math.max((warmupCalls + calls * clients) * predictTokens / tokensPerSecond, atLeastSeconds), 0)
  return { blocks: plan.blocks.length, expected: plan.expected, calibrationSeconds, seconds: plannedSeconds({ ...plan, predictions: [] }, manifest) }
}

/** Decoding reads each weight once for each token. A model that the catalogue does not have counts as the reference. */
function scaleOf (model: string): number {
  const entry = CATALOGUE.find(({ name }) => model === name || model.startsWith(`${name}:`))
  if (entry === undefined) return 1
  return (entry.kind === 'synthetic' ? parametersOf(entry.shape) : entry.files[0].bytes / bytesPerParameter) / reference.parameters
}

/** Q8_0: 34 bytes for 32 weights. */
const bytesPerParameter = 34 / 32

const nothingMeasured: Pick<Manifest, 'model' | 'server'> = {
  model: { name: '', path: '', bytes: 0, sha256: '', parameters: 0, quantisation: '', synthetic: true },
  server: { version: '', from: '', slots: 1, threads: 1, batchTokens: 0, slotContextTokens: 0 }
}
