import type { LoadJob } from '../load/job.js'
import { runLoad } from '../load/spawn.js'
import { gatewayPolicies } from '../plan/policies.js'
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
export async function openLoopLoad ({ input, server, undo }: ReadyBlock, workload: OpenLoopWorkload): Promise<LoadEvidence> {
  const { folder, placement, signal, plan } = input
  const { running, group } = server
  const gateway = await startGateway({
    upstreamUrl: running.url,
    upstreamApiKey: running.apiKey,
    policies: gatewayPolicies(input.policies, Math.min(...Object.values(workload.ttftLimitMs))),
    folder,
    cpus: placement.clientCpus
  })
  undo.push('gateway', () => gateway.stop())
  checkPolicies(input, gateway.policies)
  const sampler = await startSampler({ pid: running.pid, serverUrl: running.url, apiKey: running.apiKey, outPath: `${folder}/samples.ndjson`, cpus: placement.clientCpus })
  undo.push('sampler', () => sampler.stop())
  const tools = await startTools({ pid: running.pid, folder, cpus: placement.clientCpus })
  undo.push('second tools', async () => { await tools.stop() })
  const job = { classes: [...workload.classes], outPath: `${folder}/calls.ndjson`, seed: plan.traceSeed, drainSeconds: workload.drainSeconds }
  const run = (job: LoadJob) => runLoad(job, { cpus: placement.clientCpus, signal: AbortSignal.any([signal, server.gone]) })

  input.onStep('capacity')
  const capacity = await run({ ...job, phase: 'capacity', target: { url: running.url, apiKey: running.apiKey }, clients: workload.closedLoopClients, seconds: workload.capacitySeconds })
  signal.throwIfAborted()
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)

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
  const end = await server.end(false)
  if (end !== undefined) throw new Error(`block ${plan.index}: llama-server ended in the middle of the load: ${end.why}; see ${folder}/llama-server.log`)
  const toolRuns = await tools.stop()
  return {
    capacityFromMs: capacity.fromMs,
    capacityToMs: capacity.drainedAtMs,
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

/** A block counts only when the state that it is named after is really there. */
function checkPolicies ({ policies, plan }: ReadyBlock['input'], seen: readonly string[]): void {
  if ([...policies].sort().join() !== [...seen].sort().join()) throw new Error(`block ${plan.index}: the gateway runs the policies [${seen.join(', ')}], the plan says [${policies.join(', ')}]`)
}
