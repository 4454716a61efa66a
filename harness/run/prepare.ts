import { ensureModel } from '../../models/ensure-model.js'
import { ensureServer } from '../../models/install/index.js'
import type { ModelFile, ServerOptions } from '../../models/types.js'
import type { GroupHost } from '../cgroups/contract.js'
import type { Knob } from '../knobs/contract.js'
import { slotsFor, workloadsOf } from '../plan/condition-workload.js'
import type { Condition, Manifest, Placement, StreamsWorkload } from '../types.js'
import type { ExperimentInput } from './experiment.js'
import { makeManifest } from './manifest.js'
import { allowedCpus, cpusFor, placeOn } from './placement.js'
import { missing, preflight } from './preflight.js'

/** Everything that must be there before the first server is started. */
export interface Prepared {
  /** Of the run; conditions may have other threads and models. */
  readonly server: Omit<ServerOptions, 'logPath'>
  /** By the name that conditions use. */
  readonly models: ReadonlyMap<string, ModelFile>
  readonly placement: Placement
  readonly manifest: Manifest
  readonly knobsOf: (condition: Condition) => Knob[]
  readonly groupHost: () => Promise<GroupHost>
  /** `-np` of a condition. */
  readonly slotsOf: (condition: Pick<Condition, 'workload'>) => number
}

/** Tokens of context per slot of an open loop: room for every prompt of the default mix and its output. */
const openLoopContextTokens = 2048
/** `-b`: a long prompt freezes the others for at most this many tokens (L6, L7). */
const batchTokens = 512

/** A vector is the mean of those of its tokens: the synthetic models name no other way. */
const embeddingArgs = ['--embeddings', '--pooling', 'mean']

export async function prepare (input: ExperimentInput, knobsFor: (specs: readonly string[]) => Knob[], groupHost: () => Promise<GroupHost>): Promise<Prepared> {
  const { progress, signal, load } = input
  const needsGroup = input.conditions.flatMap(condition => knobsFor(condition.knobs)).some(knob => knob.controllers.length > 0)
  const host = once(groupHost)
  if (needsGroup) await insistOnGroups(host)
  const checks = preflight()
  for (const check of checks.filter(check => !check.ok)) progress.note(`${check.what}: missing. Lost by it: ${check.lost}. To mend: ${check.mend}`)
  const binary = await ensureServer({ ...(input.llamaServer === undefined ? {} : { explicit: input.llamaServer }), onProgress: text => progress.step(text, 0) })
  const models = new Map<string, ModelFile>()
  for (const name of new Set([input.model, ...input.conditions.flatMap(({ model }) => model ?? [])])) {
    models.set(name, await ensureModel(name, { onProgress: ({ step, doneBytes, totalBytes }) => progress.step(`model ${name}: ${step}, ${Math.floor(10 * doneBytes / totalBytes) * 10} %`, 0) }))
    signal.throwIfAborted()
  }
  const [model, ...otherModels] = [...models.values()]
  if (model === undefined) throw new Error('the experiment names no model')
  const placement = placeOn(allowedCpus(), Math.max(input.threads ?? 0, ...input.conditions.map(({ threads = 0 }) => threads)))
  const threads = input.threads ?? placement.serverCpus.length
  const server: Omit<ServerOptions, 'logPath'> = {
    binary,
    model,
    ...(load.kind === 'open-loop' ? { slots: load.slots, slotContextTokens: openLoopContextTokens } : { slots: slotsFor(load.workload, input.conditions), slotContextTokens: Math.max(...workloadsOf(load.workload, input.conditions).map(streamsContextTokens)) }),
    threads,
    batchTokens,
    ...(load.kind === 'open-loop' && load.classes.some(({ embedding }) => embedding === true) ? { extraArgs: embeddingArgs } : {}),
    ...(process.platform === 'linux' ? { cpus: cpusFor(placement, threads) } : {})
  }
  const { slots, slotContextTokens } = server
  const manifest = makeManifest({ model, otherModels, binary, slots, threads, batchTokens, slotContextTokens, placement, missing: missing(checks) })
  const slotsOf = (condition: Pick<Condition, 'workload'>): number => load.kind === 'open-loop' ? slots : slotsFor(load.workload, input.conditions, condition)
  return { server, models, placement, manifest, knobsOf: condition => knobsFor(condition.knobs), groupHost: host, slotsOf }
}

/** llama-server as a condition launches it, before its knobs. */
export function serverOf ({ server, models, placement, slotsOf }: Prepared, { threads = server.threads, model, ...condition }: Pick<Condition, 'threads' | 'model' | 'workload'>): Omit<ServerOptions, 'logPath'> {
  const file = model === undefined ? server.model : models.get(model)
  if (file === undefined) throw new Error(`model ${model} was not prepared`)
  return { ...server, model: file, threads, slots: slotsOf(condition), ...(server.cpus === undefined ? {} : { cpus: cpusFor(placement, threads) }) }
}

/** No more than the streams need: the KV cache is memory that a limit would count. */
function streamsContextTokens ({ promptWords, predictTokens }: StreamsWorkload): number {
  return Math.max(512, Math.ceil((4 * promptWords + predictTokens + 32) / 256) * 256)
}

async function insistOnGroups (host: () => Promise<GroupHost>): Promise<void> {
  const found = await host()
  if (!found.ok) throw new Error(`this experiment needs control groups, and none can be made here: ${found.why}. To mend: ${found.mend}`)
}

function once<T> (make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => { made ??= make(); return made }
}
