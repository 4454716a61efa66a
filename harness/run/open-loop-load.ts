import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'
import { deriveSeed } from '../load/random.js'
import { usualClasses } from '../plan/traffic.js'
import { readServerCounters } from '../probes/metrics-poll.js'
import { cpuUsecOf } from '../probes/proc-process.js'
import type { ClosedLoop, OpenLoopWorkload } from '../types.js'
import type { LoadEvidence, ReadyBlock } from './block.js'
import { patienceSeconds } from './calibrate.js'
import { startGateway } from './gateway-process.js'
import { allStarted, startObservers } from './observers.js'
import { countersOf } from './server-watch.js'
import { apiKeysOf, bareClass, policiesOf, sentClass } from './traffic.js'

/** Beyond every number of a call. */
const AGAIN = 1_000_000_000

/** Calls that their clients gave up cost llama-server at least their prefill each: it notices at the first token that nobody takes. */
const IDLE_WITHIN_MS = 20_000
const IDLE_CHECK_MS = 100
/** They come through llama-server's task queue, behind a long batch where one runs. */
const COUNTERS_WITHIN_MS = 15_000

/**
 * A closed loop at full slots straight to llama-server (warm-up and this block's own capacity), then the open-loop trace through the gateway, then the closed loop
 * again where the plan says so.
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

  const closedLoop = async (seed: number): Promise<ClosedLoop> => {
    input.onStep('capacity')
    const beforeUsec = cpuUsecOf(running.pid)
    const { fromMs, drainedAtMs } = await nextGenerator().run({ ...job, seed, drainSeconds: patienceSeconds, phase: 'capacity', target: { url: running.url, apiKey: running.apiKey }, clients: workload.closedLoopClients, callsPerClient: workload.capacityCalls ?? 2, seconds: workload.capacitySeconds }, watch)
    const afterUsec = cpuUsecOf(running.pid)
    signal.throwIfAborted()
    return { fromMs, toMs: drainedAtMs, ...(beforeUsec === undefined || afterUsec === undefined ? {} : { serverCpuUsec: afterUsec - beforeUsec }) }
  }
  const closedLoops = [await closedLoop(plan.traceSeed)]
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)
  const serverCounters = () => readServerCounters(running.url, running.apiKey, COUNTERS_WITHIN_MS)
  // It may still work on calls that its closed loop gave up.
  await untilIdle(running.pid, watch.signal)
  const serverCountersAtStart = await serverCounters()

  // The loop's last calls were given up and may still run: to the gateway they are somebody who goes past it, and for a while it would name no slots.
  if (workload.conversations !== undefined) await untilIdle(running.pid, watch.signal)
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
        ...(input.retry === undefined ? {} : { retry: input.retry }),
        seconds,
        spin: placement.serverCpus.join() !== placement.clientCpus.join()
      }, watch)
  signal.throwIfAborted()
  const [serverCountersAtEnd, slotSecondsWasted] = await Promise.all([serverCounters(), readSlotSecondsWasted(gateway.url)])
  if (workload.capacityAgain === true) {
    await untilIdle(running.pid, watch.signal)
    // Prompts of its own: llama-server keeps those of the first loop.
    closedLoops.push(await closedLoop(deriveSeed(plan.traceSeed, AGAIN)))
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

/** Until a process has used next to no CPU time for a moment; not longer than it can take. */
async function untilIdle (pid: number, signal: AbortSignal): Promise<void> {
  const untilMs = nowMs() + IDLE_WITHIN_MS
  for (let seen = cpuUsecOf(pid); nowMs() < untilMs && !signal.aborted;) {
    await sleep(IDLE_CHECK_MS)
    const now = cpuUsecOf(pid)
    if (seen === undefined || now === undefined || now - seen <= IDLE_CHECK_MS * 1000 / 10) return
    seen = now
  }
}

/** A block counts only when the state that it is named after is really there. */
function checkPolicies ({ policies, plan }: ReadyBlock['input'], seen: readonly string[]): void {
  if ([...policies].sort().join() !== [...seen].sort().join()) throw new Error(`block ${plan.index}: the gateway runs the policies [${seen.join(', ')}], the plan says [${policies.join(', ')}]`)
}
