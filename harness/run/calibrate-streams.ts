import { mkdirSync, readFileSync } from 'node:fs'
import { startServer } from '../../models/start.js'
import type { Knob } from '../knobs/contract.js'
import { computedPromptTokens, cpusUsedIn, ttftMs } from '../analyse/streams-summary.js'
import { middle, tokensBetween } from '../analyse/window.js'
import { runLoad } from '../load/spawn.js'
import { startSampler } from '../probes/start-sampler.js'
import type { CalibratedServer, CallSample, Condition, OsSample, StreamsCalibration, StreamsWorkload } from '../types.js'
import { evict } from '../knobs/residency.js'
import { freeLibraries } from './free-libraries.js'
import { beforeServer, controllersOf, launched, makeGroup } from './knob-stages.js'
import { serverOf, type Prepared } from './prepare.js'
import { countersOf } from './server-watch.js'
import { atLeast, streamsJob } from './streams-load.js'
import { clearReferenced, touchedSince } from './touched.js'
import { withUndo } from './undo-stack.js'

export interface CalibrateStreamsInput {
  readonly conditions: readonly Condition[]
  readonly workload: StreamsWorkload
  readonly prepared: Prepared
  readonly promptSeed: number
  readonly folder: string
  readonly signal: AbortSignal
  readonly onStep: (text: string) => void
}

type Kind = Pick<Condition, 'threads' | 'model'>

/**
 * One run of the streams for each model and thread count of the conditions, be it a knob's: predictions can rest on it. Of the other knobs it
 * has only how all conditions alike start llama-server: two threads on one CPU, where the conditions have two, would tell nothing.
 */
export async function calibrateStreams (input: CalibrateStreamsInput): Promise<StreamsCalibration> {
  const { server } = input.prepared
  const kinds = new Map(input.conditions.map((condition): [string, Kind] => {
    const { model } = condition
    const { threads } = launched(input.prepared.knobsOf(condition), serverOf(input.prepared, condition))
    return [`${model ?? server.model.name}-t${threads}`.replaceAll(/[^\w.+-]+/g, '_'), { threads, ...(model === undefined ? {} : { model }) }]
  }))
  if (limitsMemory(input)) {
    input.onStep('calibration: llama-server\'s own libraries, outside all groups')
    mkdirSync(input.folder, { recursive: true })
    await freeLibraries({ ...server, logPath: `${input.folder}/libraries.log` }, input.signal)
  }
  const servers: CalibratedServer[] = []
  for (const [name, kind] of kinds) {
    input.onStep(`calibration: ${name}`)
    servers.push(await calibrateOne(input, kind, `${input.folder}/${name}`))
    input.signal.throwIfAborted()
  }
  return { servers }
}

/** Those that all conditions have and that are no interference. */
function calibratedKnobs ({ conditions, prepared: { knobsOf } }: CalibrateStreamsInput): Knob[] {
  const [first, ...rest] = conditions.map(condition => knobsOf(condition))
  return (first ?? []).filter(knob => knob.calibrated === true && rest.every(knobs => knobs.some(({ spec }) => spec === knob.spec)))
}

function limitsMemory ({ conditions, prepared }: CalibrateStreamsInput): boolean {
  return controllersOf(conditions.flatMap(prepared.knobsOf)).includes('memory')
}

/** The same load as a block's, so that what it measures is what an undisturbed block would. */
async function calibrateOne (input: CalibrateStreamsInput, kind: Kind, folder: string): Promise<CalibratedServer> {
  const { conditions, workload, prepared, promptSeed, signal } = input
  mkdirSync(folder, { recursive: true })
  const knobs = calibratedKnobs(input)
  const options = launched(commonKnobs(conditions, prepared), serverOf(prepared, kind))
  const cpus = prepared.placement.clientCpus
  const [outPath, samplesPath] = [`${folder}/calls.ndjson`, `${folder}/samples.ndjson`]
  const { load, groupCounters, touched } = await withUndo(async undo => {
    // Its group is to be charged with all of the model.
    if (limitsMemory(input)) await evict(options.model.path, signal)
    const group = await makeGroup(conditions.flatMap(prepared.knobsOf), prepared.groupHost, `weir-${process.pid}-calibration`, undo)
    await beforeServer(knobs, { folder, server: options, group, clientCpus: cpus, signal }, undo)
    const running = await startServer({ ...options, logPath: `${folder}/llama-server.log`, ...(group === undefined ? {} : { enter: group.enter }) }, { signal })
    undo.push('llama-server', () => running.stop())
    const sampler = await startSampler({ pid: running.pid, serverUrl: running.url, apiKey: running.apiKey, outPath: samplesPath, cpus })
    undo.push('sampler', () => sampler.stop())
    const job = { target: { url: running.url, apiKey: running.apiKey }, outPath, promptSeed }
    await runLoad(streamsJob(workload, { ...job, callPhase: 'warm-up', clients: 1, callsPerClient: 1 }), { cpus, signal })
    const watched = limitsMemory(input) && clearReferenced(running.pid)
    const load = await runLoad(streamsJob(workload, { ...job, callPhase: 'load', clients: workload.clients, callsPerClient: workload.calls, ...atLeast(workload) }), { cpus, signal })
    signal.throwIfAborted()
    return { load, groupCounters: group === undefined ? undefined : countersOf(group), touched: watched ? touchedSince(running.pid, options.model.path) : undefined }
  })
  const samples = readLines<OsSample>(samplesPath).filter(({ atMs }) => atMs >= load.fromMs && atMs <= load.toMs)
  const cpusUsed = cpusUsedIn(samples)
  return {
    model: kind.model ?? prepared.manifest.model.name,
    threads: options.threads,
    ...paceOf(readLines<CallSample>(outPath), load.fromMs, load.toMs),
    cpusUsed: cpusUsed === null ? null : rounded(cpusUsed),
    ...(groupCounters === undefined ? {} : { groupCounters }),
    ...(touched === undefined ? {} : { touched })
  }
}

function commonKnobs (conditions: readonly Condition[], { knobsOf }: Prepared): Knob[] {
  const [first, ...others] = conditions.map(({ knobs }) => knobs)
  const common = (first ?? []).filter(spec => others.every(knobs => knobs.includes(spec)))
  const [condition] = conditions
  return condition === undefined ? [] : knobsOf({ ...condition, knobs: common })
}

function readLines<T> (path: string): T[] {
  return readFileSync(path, 'utf8').trim().split('\n').map(line => JSON.parse(line) as T)
}

/** @throws when a call failed: without knobs none may */
export function paceOf (calls: readonly CallSample[], fromMs: number, toMs: number): Pick<CalibratedServer, 'tokensPerSecond' | 'ttftMs' | 'gapMs' | 'prompt'> {
  const failed = calls.find(call => call.outcome !== 'answered')
  if (failed !== undefined) throw new Error(`calibration: a call was ${failed.outcome} (${failed.status ?? 'no status'}, ${failed.reason ?? 'no reason'}); see llama-server.log beside calls.ndjson`)
  const load = calls.filter(call => call.phase === 'load')
  const [promptTokens, promptMs] = [middle(load.flatMap(computedPromptTokens)), middle(load.flatMap(call => call.promptMs ?? []))]
  return {
    tokensPerSecond: rounded(tokensBetween(calls, fromMs, toMs) / (toMs - fromMs) * 1000),
    ttftMs: rounded(middle(load.flatMap(ttftMs)) ?? NaN),
    gapMs: rounded(middle(load.flatMap(call => call.itlMs)) ?? NaN),
    ...(promptTokens === null || promptMs === null ? {} : { prompt: { tokens: promptTokens, ms: rounded(promptMs) } })
  }
}

function rounded (value: number): number {
  return Math.round(value * 1000) / 1000
}
