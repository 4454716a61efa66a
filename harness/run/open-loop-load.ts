import { deriveSeed } from '../load/random.js'
import { usualClasses } from '../plan/traffic.js'
import { readServerCounters } from '../probes/metrics-poll.js'
import { cpuUsecOf } from '../probes/proc-process.js'
import type { ClosedLoop, OpenLoopWorkload } from '../types.js'
import type { BlockStep, LoadEvidence, ReadyBlock } from './block.js'
import { patienceSeconds } from './calibrate.js'
import { startGateway } from './gateway-process.js'
import { allStarted, startObservers } from './observers.js'
import { countersOf } from './server-watch.js'
import { apiKeysOf, bareClass, policiesOf, sentClass } from './traffic.js'
import { untilIdle } from './until-idle.js'

/** Beyond every number of a call. */
const AGAIN = 1_000_000_000
const REHEARSAL = 1_000_000_001
const REHEARSED_CALLS = 16

/** So long the second closed loop waits for a server that still works on calls which nobody waits for: this part of the window. Behind an overload without admission it takes longer, and more than the loop is worth. */
const AGAIN_WITHIN = 1 / 3
const AGAIN_WITHIN_AT_LEAST_MS = 3000

/** They come through llama-server's task queue, behind a long batch where one runs. */
const COUNTERS_WITHIN_MS = 15_000

/**
 * A closed loop at full slots straight to llama-server (warm-up and this block's own capacity), then the open-loop trace through the gateway, then the closed loop
 * again where the plan says so and the server is idle soon.
 * @throws when llama-server ends under it
 */
export async function openLoopLoad (block: ReadyBlock, workload: OpenLoopWorkload): Promise<LoadEvidence> {
  const { input, server, nextGenerator, undo } = block
  const { folder, placement, signal, plan } = input
  const { running, group } = server
  const [gateway, { tools }] = await allStarted([
    undo.pushed('gateway', startGateway({
      upstreamUrl: running.url,
      upstreamApiKey: running.apiKey,
      policies: policiesOf(workload, input),
      apiKeys: apiKeysOf(workload),
      folder,
      cpus: placement.clientCpus
    })),
    startObservers(block)
  ])
  checkPolicies(input, gateway.policies)
  const job = { classes: usualClasses(workload.classes).map(bareClass), outPath: `${folder}/calls.ndjson`, seed: plan.traceSeed, drainSeconds: workload.drainSeconds }
  const watch = { signal: AbortSignal.any([signal, server.gone]) }
  const serverCpuUsec = () => cpuUsecOf(running.pid)

  const closedLoop = async (seed: number, step: BlockStep): Promise<ClosedLoop> => {
    input.onStep(step)
    const beforeUsec = serverCpuUsec()
    const { fromMs, drainedAtMs } = await nextGenerator().run({ ...job, seed, drainSeconds: patienceSeconds, phase: 'capacity', target: { url: running.url, apiKey: running.apiKey }, clients: workload.closedLoopClients, callsPerClient: workload.capacityCalls ?? 2, seconds: workload.capacitySeconds }, watch)
    const afterUsec = serverCpuUsec()
    signal.throwIfAborted()
    return { fromMs, toMs: drainedAtMs, ...(beforeUsec === undefined || afterUsec === undefined ? {} : { serverCpuUsec: afterUsec - beforeUsec }) }
  }
  const closedLoops = [await closedLoop(plan.traceSeed, 'capacity')]
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)
  const serverCounters = () => readServerCounters(running.url, running.apiKey, COUNTERS_WITHIN_MS)
  // It may still work on calls that its closed loop gave up.
  await untilIdle(serverCpuUsec, watch.signal)
  const serverCountersAtStart = await serverCounters()

  // The loop's last calls were given up and may still run: to the gateway they are somebody who goes past it, and for a while it would name no slots.
  if (workload.conversations !== undefined) await untilIdle(serverCpuUsec, watch.signal)
  if (workload.classes.some(({ together }) => together !== undefined)) {
    // A gateway that never had a call compiles its code while fifty come at once, on the CPU of the generator, which is late then.
    await nextGenerator().run({ ...job, seed: deriveSeed(plan.traceSeed, REHEARSAL), phase: 'unloaded', target: { url: gateway.url }, callsPerClass: REHEARSED_CALLS }, watch)
  }
  input.onStep('load')
  const seconds = workload.rampSeconds + workload.windowSeconds
  const sent = { ...job, target: { url: gateway.url }, classes: workload.classes.map(cls => sentClass(cls, workload, input)) }
  const load = await nextGenerator().run(workload.conversations !== undefined
    ? { ...sent, phase: 'conversations', conversations: workload.conversations, seconds }
    : {
        ...sent,
        phase: 'load',
        ratePerSecond: workload.ratePerSecond,
        ...(workload.burst === undefined ? {} : { burst: workload.burst }),
        ...(workload.workers === undefined ? {} : { workers: workload.workers }),
        ...(input.retry === undefined ? {} : { retry: input.retry }),
        seconds,
        spin: placement.serverCpus.join() !== placement.clientCpus.join()
      }, watch)
  signal.throwIfAborted()
  const [serverCountersAtEnd, slotSecondsWasted] = await Promise.all([serverCounters(), readSlotSecondsWasted(gateway.url)])
  if (workload.capacityAgain === true && await untilIdle(serverCpuUsec, watch.signal, Math.max(AGAIN_WITHIN_AT_LEAST_MS, workload.windowSeconds * 1000 * AGAIN_WITHIN))) {
    // Prompts of its own: llama-server keeps those of the first loop.
    closedLoops.push(await closedLoop(deriveSeed(plan.traceSeed, AGAIN), 'capacity again'))
  }
  const end = await server.end(false)
  if (end !== undefined) throw new Error(`block ${plan.index}: llama-server ended in the middle of the load: ${end.why}; see ${folder}/llama-server.log`)
  const toolRuns = await tools.stop()
  return {
    closedLoops,
    loadFromMs: load.fromMs,
    judgedFromMs: load.fromMs + workload.rampSeconds * 1000,
    judgedToMs: load.toMs,
    drainedAtMs: load.drainedAtMs,
    readBack: { 'gateway policies': gateway.policies.join(',') },
    generatorEventLoopDelayMaxMs: load.eventLoopDelayMaxMs,
    tools: toolRuns,
    ...(groupCountersAtStart === undefined ? {} : { groupCountersAtStart }),
    ...(serverCountersAtStart === undefined ? {} : { serverCountersAtStart }),
    ...(slotSecondsWasted === undefined ? {} : { slotSecondsWasted }),
    ...(serverCountersAtEnd === undefined ? {} : { serverCountersAtEnd })
  }
}

/** Undefined where the gateway wants a key for its metrics. */
async function readSlotSecondsWasted (gatewayUrl: string): Promise<number | undefined> {
  const text = await (await fetch(`${gatewayUrl}/weir/metrics`)).text()
  const found = /^weir_slot_seconds_wasted (\S+)$/m.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** A block counts only when the state that it is named after is really there. */
function checkPolicies ({ policies, plan }: ReadyBlock['input'], seen: readonly string[]): void {
  if ([...policies].sort().join() !== [...seen].sort().join()) throw new Error(`block ${plan.index}: the gateway runs the policies [${seen.join(', ')}], the plan says [${policies.join(', ')}]`)
}
