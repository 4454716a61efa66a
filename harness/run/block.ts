import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { LoadJob } from '../load/job.js'
import { runLoad } from '../load/spawn.js'
import { startSampler } from '../probes/start-sampler.js'
import { startServer } from '../../models/start.js'
import type { ServerOptions } from '../../models/types.js'
import type { BlockEvidence, BlockPlan, Placement, Workload } from '../types.js'
import { gatewayPolicies } from '../plan/experiments.js'
import { startGateway } from './gateway-process.js'
import { parseCpuList, readAffinity } from './placement.js'

export interface BlockInput {
  readonly plan: BlockPlan
  readonly workload: Workload
  /** Policies that are on in this block's arm. */
  readonly policies: readonly string[]
  readonly server: Omit<ServerOptions, 'logPath'>
  readonly placement: Placement
  readonly folder: string
  readonly signal: AbortSignal
  readonly onStep: (step: 'start' | 'capacity' | 'load') => void
}

/**
 * One block: a fresh llama-server and gateway, a closed loop at full slots straight to llama-server (warm-up and this block's own
 * capacity), then the open-loop trace through the gateway. `block.json` is written last: a folder without it does not count.
 * Whatever was started is stopped on every way out.
 */
export async function runBlock (input: BlockInput): Promise<void> {
  const { folder, workload, placement, signal, plan } = input
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const startedAt = new Date().toISOString()
  const stops: Array<() => Promise<void>> = []
  try {
    input.onStep('start')
    const server = await startServer({ ...input.server, logPath: `${folder}/llama-server.log` })
    stops.push(() => server.stop())
    signal.throwIfAborted()
    const gateway = await startGateway({
      upstreamUrl: server.url,
      upstreamApiKey: server.apiKey,
      policies: gatewayPolicies(input.policies, Math.min(...Object.values(workload.ttftLimitMs))),
      folder,
      cpus: placement.clientCpus
    })
    stops.push(() => gateway.stop())
    const sampler = await startSampler({ pid: server.pid, serverUrl: server.url, apiKey: server.apiKey, outPath: `${folder}/samples.ndjson`, cpus: placement.clientCpus })
    stops.push(() => sampler.stop())
    const job = { classes: [...workload.classes], outPath: `${folder}/calls.ndjson`, seed: plan.traceSeed, drainSeconds: workload.drainSeconds }
    const run = (job: LoadJob) => runLoad(job, { cpus: placement.clientCpus, signal })

    input.onStep('capacity')
    const capacity = await run({ ...job, phase: 'capacity', target: { url: server.url, apiKey: server.apiKey }, clients: workload.closedLoopClients, seconds: workload.capacitySeconds })
    signal.throwIfAborted()

    input.onStep('load')
    const load = await run({
      ...job,
      phase: 'load',
      target: { url: gateway.url },
      ratePerSecond: workload.ratePerSecond,
      seconds: workload.rampSeconds + workload.windowSeconds,
      spin: placement.serverCpus.join() !== placement.clientCpus.join()
    })
    signal.throwIfAborted()
    const affinity = readAffinity(server.pid)
    const readBack = { 'llama-server CPUs': affinity, 'gateway policies': gateway.policies.join(',') }
    checkReadBack(input, affinity, gateway.policies)
    const evidence: BlockEvidence = {
      plan,
      capacityFromMs: capacity.fromMs,
      capacityToMs: capacity.drainedAtMs,
      loadFromMs: load.fromMs,
      judgedFromMs: load.fromMs + workload.rampSeconds * 1000,
      judgedToMs: load.toMs,
      drainedAtMs: load.drainedAtMs,
      startedAt,
      serverCommandLine: server.commandLine,
      placement,
      readBack,
      generatorEventLoopDelayMaxMs: load.eventLoopDelayMaxMs,
      warnings: []
    }
    for (const stop of stops.splice(0).reverse()) await stop()
    writeFileSync(`${folder}/block.json`, JSON.stringify(evidence, null, 2) + '\n')
  } finally {
    await Promise.allSettled(stops.reverse().map(stop => stop()))
  }
}

/** A block counts only when the state that it is named after was really there. */
function checkReadBack (input: BlockInput, affinity: string, policies: readonly string[]): void {
  const wanted = [...input.policies].sort().join()
  const seen = [...policies].sort().join()
  if (wanted !== seen) throw new Error(`block ${input.plan.index}: the gateway runs the policies [${seen}], the plan says [${wanted}]`)
  const cpus = input.server.cpus
  if (cpus !== undefined && affinity !== 'unknown' && parseCpuList(affinity).join() !== cpus.join()) {
    throw new Error(`block ${input.plan.index}: llama-server may run on CPUs ${affinity}, the plan says ${cpus.join(',')}`)
  }
}
