import { mkdirSync, readFileSync } from 'node:fs'
import { estimateCapacity } from '../load/capacity.js'
import { runLoad } from '../load/spawn.js'
import { deckLength } from '../load/trace.js'
import { startServer } from '../../models/start.js'
import type { ServerOptions } from '../../models/types.js'
import type { Calibration } from '../plan/open-loop-plan.js'
import type { Preset } from '../plan/presets.js'
import { serviceTimeOf } from '../plan/service-time.js'
import type { CallSample, Placement, WorkloadClass } from '../types.js'

export interface CalibrateInput {
  readonly preset: Preset
  readonly classes: readonly WorkloadClass[]
  readonly server: Omit<ServerOptions, 'logPath'>
  readonly placement: Placement
  readonly seed: number
  readonly folder: string
  readonly signal: AbortSignal
  readonly onStep: (text: string) => void
}

/** How long one call may take where nothing is judged, seconds; a model that needs longer is too slow for any preset. */
export const patienceSeconds = 60

/** What the server does unloaded (one call at a time) and at full slots (closed loop), before anything is compared. */
export async function calibrate (input: CalibrateInput): Promise<Calibration> {
  const { folder, preset, signal } = input
  mkdirSync(folder, { recursive: true })
  input.onStep('calibration: start llama-server')
  const server = await startServer({ ...input.server, logPath: `${folder}/llama-server.log` }, { signal })
  try {
    const outPath = `${folder}/calls.ndjson`
    const common = { target: { url: server.url, apiKey: server.apiKey }, outPath, seed: input.seed, classes: [...input.classes], drainSeconds: patienceSeconds }
    const options = { cpus: input.placement.clientCpus, rehearse: true, signal }
    input.onStep('calibration: one call at a time')
    await runLoad({ ...common, phase: 'unloaded', callsPerClass: preset.unloadedCalls }, options)
    signal.throwIfAborted()
    input.onStep('calibration: closed loop at full slots')
    await runLoad({ ...common, phase: 'capacity', clients: input.server.slots, callsPerClient: Math.max(CALLS, Math.ceil(DECKS * deckLength(input.classes) / input.server.slots)), seconds: preset.calibrationSeconds }, options)
    signal.throwIfAborted()
    return readCalibration(readCalls(outPath), input.classes, input.server.slots)
  } finally {
    await server.stop()
  }
}

function readCalls (path: string): CallSample[] {
  return readFileSync(path, 'utf8').trim().split('\n').map(line => JSON.parse(line) as CallSample)
}

/** Of each client in the closed loop, the cold first one included: fewer do not tell a capacity. */
const CALLS = 4
/** Where classes differ: so many times all of them, each as often as its share says. */
const DECKS = 2

/** Pure: the calibration that these calls amount to. The first unloaded call of a class is warm-up and is left out. */
export function readCalibration (calls: readonly CallSample[], classes: readonly WorkloadClass[], clients: number): Calibration {
  const failed = calls.find(call => call.outcome === 'failed' || call.outcome === 'refused')
  if (failed !== undefined) throw new Error(`calibration: a call failed (${failed.status ?? 'no status'}, ${failed.reason ?? 'no reason'}); see llama-server.log beside calls.ndjson`)
  const unloaded = classes.map(cls => ({ cls, own: calls.filter(call => call.phase === 'unloaded' && call.cls === cls.name && call.outcome === 'answered').slice(1) }))
  const unloadedTtftMs = Object.fromEntries(unloaded.map(({ cls, own }) => {
    const ttfts = own.map(call => (call.firstMs ?? NaN) - call.sentMs).sort((a, b) => a - b)
    const median = ttfts[Math.floor((ttfts.length - 1) / 2)]
    if (median === undefined) throw new Error(`calibration: no call of class ${cls.name} was answered in time; the model may be too large for this machine: try --model tiny`)
    return [cls.name, Math.round(median * 10) / 10]
  }))
  const closed = calls.filter(call => call.phase === 'capacity')
  const capacity = estimateCapacity(closed, clients)?.answersPerSecond
  if (capacity === undefined) throw new Error('calibration: the closed loop had too few answers to tell a capacity; take a longer preset (--preset overnight) or a smaller --model')
  const serviceTime = serviceTimeOf(unloaded.flatMap(({ own }) => own))
  return { unloadedTtftMs, capacityPerSecond: Math.round(capacity * 1000) / 1000, answers: closed.filter(call => call.outcome === 'answered').length, ...(serviceTime === undefined ? {} : { serviceTime }) }
}
