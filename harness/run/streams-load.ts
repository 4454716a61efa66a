import type { LoadProgress, StreamsJob } from '../load/job.js'
import { oomKillIn } from '../probes/kernel-log.js'
import { readServerCounters } from '../probes/metrics-poll.js'
import { osNow } from '../probes/os-now.js'
import type { ServerEnd, StreamsWorkload } from '../types.js'
import type { LoadEvidence, ReadyBlock } from './block.js'
import { underLoad } from './knob-stages.js'
import { startObservers } from './observers.js'
import { countersOf, type ServerWatch } from './server-watch.js'

/** Of one reading of llama-server's totals: before and after the load, never in it. */
const METRICS_TIMEOUT_MS = 1000

/** Warm-up and streams straight to llama-server. One that is killed under them is evidence: its calls have failed, and how it ended is told. */
export async function streamsLoad (block: ReadyBlock, workload: StreamsWorkload): Promise<LoadEvidence> {
  const { input, at, server, nextGenerator, undo } = block
  const { folder, signal } = input
  const { running, group } = server
  const { tools } = await startObservers(block)
  const run = async (part: Pick<StreamsJob, 'callPhase' | 'clients' | 'callsPerClient' | 'atLeastSeconds'>, onProgress: (progress: LoadProgress) => void = () => {}) => {
    const job = streamsJob(workload, { ...part, target: { url: running.url, apiKey: running.apiKey }, outPath: `${folder}/calls.ndjson`, promptSeed: input.promptSeed })
    const summary = await nextGenerator().run(job, { signal: AbortSignal.any([signal, server.gone]), onProgress })
    signal.throwIfAborted()
    return summary
  }
  if (workload.warmupCalls > 0) await run({ callPhase: 'warm-up', clients: 1, callsPerClient: workload.warmupCalls })
  const serverCountersAtStart = await readServerCounters(running.url, running.apiKey, METRICS_TIMEOUT_MS)
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)
  const osAtStart = osNow(running.pid)
  input.onStep('load')
  let applied: Promise<void> | undefined
  const load = await run({ callPhase: 'load', clients: workload.clients, callsPerClient: workload.calls, ...atLeast(workload) }, ({ sent }) => {
    if (sent > 0) applied ??= underLoad(input.knobs, at, undo)
    applied?.catch(() => {})
  })
  await applied
  const osAtEnd = osNow(running.pid)
  const serverCountersAtEnd = await readServerCounters(running.url, running.apiKey, METRICS_TIMEOUT_MS)
  const serverEnd = await endOf(server, load.failed + load.unanswered > 0 || load.sent === 0)
  const toolRuns = await tools.stop()
  return {
    loadFromMs: load.fromMs,
    judgedFromMs: load.fromMs,
    judgedToMs: load.toMs,
    drainedAtMs: load.drainedAtMs,
    readBack: {},
    osAtStart,
    osAtEnd,
    generatorEventLoopDelayMaxMs: load.eventLoopDelayMaxMs,
    tools: toolRuns,
    ...(groupCountersAtStart === undefined ? {} : { groupCountersAtStart }),
    ...(serverCountersAtStart === undefined ? {} : { serverCountersAtStart }),
    ...(serverCountersAtEnd === undefined ? {} : { serverCountersAtEnd }),
    ...(serverEnd === undefined ? {} : { serverEnd })
  }
}

async function endOf (server: ServerWatch, callsFailed: boolean): Promise<ServerEnd | undefined> {
  const end = await server.end(callsFailed)
  const kernelLog = end === undefined || server.group === undefined ? undefined : await oomKillIn(server.group.path)
  return end === undefined || kernelLog === undefined ? end : { ...end, kernelLog }
}

/** Of the load; the warm-up is over when its calls are. */
export function atLeast ({ atLeastSeconds }: StreamsWorkload): Pick<StreamsJob, 'atLeastSeconds'> {
  return atLeastSeconds === undefined ? {} : { atLeastSeconds }
}

export function streamsJob (workload: StreamsWorkload, rest: Pick<StreamsJob, 'target' | 'outPath' | 'promptSeed' | 'callPhase' | 'clients' | 'callsPerClient' | 'atLeastSeconds'>): StreamsJob {
  return { phase: 'streams', ...rest, promptWords: workload.promptWords, predictTokens: workload.predictTokens, ...workload.cachePrompt === undefined ? {} : { cachePrompt: workload.cachePrompt }, ...workload.pauseSeconds === undefined ? {} : { pauseSeconds: workload.pauseSeconds }, patienceSeconds: workload.patienceSeconds }
}
