import { mkdirSync, readFileSync } from 'node:fs'
import { startServer } from '../../models/start.js'
import { ttftMs } from '../analyse/streams-summary.js'
import { middle, tokensBetween } from '../analyse/window.js'
import type { Group } from '../cgroups/contract.js'
import { nowMs } from '../clock.js'
import { runLoad } from '../load/spawn.js'
import { readProcess } from '../probes/proc-process.js'
import type { CalibratedServer, CallSample, Condition, StreamsCalibration, StreamsWorkload } from '../types.js'
import { makeGroup } from './knob-stages.js'
import { serverOf, type Prepared } from './prepare.js'
import { countersOf } from './server-watch.js'
import { streamsJob } from './streams-load.js'
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

/** One short run of the streams for each model and thread count of the conditions, without knobs: predictions can rest on it. */
export async function calibrateStreams (input: CalibrateStreamsInput): Promise<StreamsCalibration> {
  const { server } = input.prepared
  const kinds = new Map(input.conditions.map(({ threads = server.threads, model }): [string, Kind] =>
    [`${model ?? server.model.name}-t${threads}`.replaceAll(/[^\w.+-]+/g, '_'), { threads, ...(model === undefined ? {} : { model }) }]))
  const servers: CalibratedServer[] = []
  for (const [name, kind] of kinds) {
    input.onStep(`calibration: ${name}`)
    servers.push(await calibrateOne(input, kind, `${input.folder}/${name}`))
    input.signal.throwIfAborted()
  }
  return { servers }
}

/** Calls of each client. */
const callsPerClient = 2

async function calibrateOne ({ conditions, workload, prepared, promptSeed, signal }: CalibrateStreamsInput, kind: Kind, folder: string): Promise<CalibratedServer> {
  mkdirSync(folder, { recursive: true })
  const options = serverOf(prepared, kind)
  const outPath = `${folder}/calls.ndjson`
  return await withUndo(async undo => {
    const group = await makeGroup(conditions.flatMap(prepared.knobsOf), prepared.groupHost, `weir-${process.pid}-calibration`, undo)
    const running = await startServer({ ...options, logPath: `${folder}/llama-server.log`, ...(group === undefined ? {} : { enter: group.enter }) })
    undo.push('llama-server', () => running.stop())
    const job = { target: { url: running.url, apiKey: running.apiKey }, outPath, promptSeed }
    const run = async (part: Pick<Parameters<typeof streamsJob>[1], 'callPhase' | 'clients' | 'callsPerClient'>) =>
      await runLoad(streamsJob(workload, { ...job, ...part }), { cpus: prepared.placement.clientCpus, signal })
    await run({ callPhase: 'warm-up', clients: 1, callsPerClient: 1 })
    const before = cpuReading(running.pid)
    const load = await run({ callPhase: 'load', clients: workload.clients, callsPerClient })
    signal.throwIfAborted()
    const calls = readFileSync(outPath, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
    return { model: kind.model ?? prepared.manifest.model.name, threads: options.threads, ...paceOf(calls, load.fromMs, load.toMs), cpusUsed: cpusBetween(before, cpuReading(running.pid)), ...counted(group) }
  })
}

/** @throws when a call failed: without knobs none may */
export function paceOf (calls: readonly CallSample[], fromMs: number, toMs: number): Pick<CalibratedServer, 'tokensPerSecond' | 'ttftMs' | 'gapMs'> {
  const failed = calls.find(call => call.outcome !== 'answered')
  if (failed !== undefined) throw new Error(`calibration: a call was ${failed.outcome} (${failed.status ?? 'no status'}, ${failed.reason ?? 'no reason'}); see llama-server.log beside calls.ndjson`)
  const load = calls.filter(call => call.phase === 'load')
  return {
    tokensPerSecond: rounded(tokensBetween(calls, fromMs, toMs) / (toMs - fromMs) * 1000),
    ttftMs: rounded(middle(load.flatMap(ttftMs)) ?? NaN),
    gapMs: rounded(middle(load.flatMap(call => call.itlMs)) ?? NaN)
  }
}

interface CpuReading { readonly atMs: number, readonly cpuUsec: number }

function cpuReading (pid: number): CpuReading | undefined {
  const process = readProcess(pid, { withPss: false })
  return process === undefined ? undefined : { atMs: nowMs(), cpuUsec: process.cpuUsec }
}

function cpusBetween (from: CpuReading | undefined, to: CpuReading | undefined): number | null {
  return from === undefined || to === undefined ? null : rounded((to.cpuUsec - from.cpuUsec) / 1000 / (to.atMs - from.atMs))
}

function counted (group: Group | undefined): Pick<CalibratedServer, 'groupCounters'> {
  return group === undefined ? {} : { groupCounters: countersOf(group) }
}

function rounded (value: number): number {
  return Math.round(value * 1000) / 1000
}
