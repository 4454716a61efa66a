import { gatewayPolicies } from '../plan/policies.js'
import { osNow } from '../probes/os-now.js'
import { startSampler } from '../probes/start-sampler.js'
import { startTools } from '../tools/supervise.js'
import type { OpenLoopWorkload } from '../types.js'
import type { LoadEvidence, ReadyBlock } from './block.js'
import { startGateway } from './gateway-process.js'
import { countersOf } from './server-watch.js'

/**
 * A closed loop at full slots straight to llama-server (warm-up and this block's own capacity), then the open-loop trace through the gateway.
 * @throws when llama-server ends under it
 */
export async function openLoopLoad ({ input, server, generators, undo }: ReadyBlock, workload: OpenLoopWorkload): Promise<LoadEvidence> {
  const { folder, placement, signal, plan } = input
  const { running, group } = server
  const cpus = placement.clientCpus
  const [gateway, , tools] = await allOf([
    undo.pushed('gateway', startGateway({
      upstreamUrl: running.url,
      upstreamApiKey: running.apiKey,
      policies: gatewayPolicies(input.policies, Math.min(...Object.values(workload.ttftLimitMs))),
      folder,
      cpus
    })),
    undo.pushed('sampler', startSampler({ pid: running.pid, serverUrl: running.url, apiKey: running.apiKey, outPath: `${folder}/samples.ndjson`, cpus })),
    undo.pushed('second tools', startTools({ pid: running.pid, folder, cpus }))
  ])
  checkPolicies(input, gateway.policies)
  const job = { classes: [...workload.classes], outPath: `${folder}/calls.ndjson`, seed: plan.traceSeed, drainSeconds: workload.drainSeconds }
  const watch = { signal: AbortSignal.any([signal, server.gone]) }

  input.onStep('capacity')
  const cpuBeforeUsec = osNow(running.pid).process?.cpuUsec
  const capacity = await generators.warmUp.run({ ...job, phase: 'capacity', target: { url: running.url, apiKey: running.apiKey }, clients: workload.closedLoopClients, seconds: workload.capacitySeconds }, watch)
  const cpuAfterUsec = osNow(running.pid).process?.cpuUsec
  signal.throwIfAborted()
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)

  input.onStep('load')
  const load = await generators.load.run({
    ...job,
    phase: 'load',
    target: { url: gateway.url },
    ratePerSecond: workload.ratePerSecond,
    seconds: workload.rampSeconds + workload.windowSeconds,
    spin: placement.serverCpus.join() !== placement.clientCpus.join()
  }, watch)
  signal.throwIfAborted()
  const end = await server.end(false)
  if (end !== undefined) throw new Error(`block ${plan.index}: llama-server ended in the middle of the load: ${end.why}; see ${folder}/llama-server.log`)
  const toolRuns = await tools.stop()
  return {
    capacityFromMs: capacity.fromMs,
    capacityToMs: capacity.drainedAtMs,
    ...(cpuBeforeUsec === undefined || cpuAfterUsec === undefined ? {} : { capacityServerCpuUsec: cpuAfterUsec - cpuBeforeUsec }),
    loadFromMs: load.fromMs,
    judgedFromMs: load.fromMs + workload.rampSeconds * 1000,
    judgedToMs: load.toMs,
    drainedAtMs: load.drainedAtMs,
    readBack: { 'gateway policies': gateway.policies.join(',') },
    generatorEventLoopDelayMaxMs: load.eventLoopDelayMaxMs,
    tools: toolRuns,
    ...(groupCountersAtStart === undefined ? {} : { groupCountersAtStart })
  }
}

/** Waits for all, so that none is left half-started. @throws what the first of them threw that failed */
async function allOf<T extends readonly unknown[]> (starts: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(starts)
  return await Promise.all(starts) as unknown as T
}

/** A block counts only when the state that it is named after is really there. */
function checkPolicies ({ policies, plan }: ReadyBlock['input'], seen: readonly string[]): void {
  if ([...policies].sort().join() !== [...seen].sort().join()) throw new Error(`block ${plan.index}: the gateway runs the policies [${seen.join(', ')}], the plan says [${policies.join(', ')}]`)
}
