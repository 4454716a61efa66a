import type { StreamsJob } from '../load/job.js'
import { runLoad } from '../load/spawn.js'
import { startSampler } from '../probes/start-sampler.js'
import type { StreamsWorkload } from '../types.js'
import type { LoadEvidence, ReadyBlock } from './block.js'
import { countersOf } from './server-watch.js'

/** Warm-up and streams straight to llama-server. One that is killed under them is evidence: its calls have failed, and how it ended is told. */
export async function streamsLoad ({ input, server, undo }: ReadyBlock, workload: StreamsWorkload): Promise<LoadEvidence> {
  const { folder, placement, signal } = input
  const { running, group } = server
  const sampler = await startSampler({ pid: running.pid, serverUrl: running.url, apiKey: running.apiKey, outPath: `${folder}/samples.ndjson`, cpus: placement.clientCpus })
  undo.push('sampler', () => sampler.stop())
  const run = async (part: Pick<StreamsJob, 'callPhase' | 'clients' | 'callsPerClient' | 'atLeastSeconds'>) => {
    const summary = await runLoad(streamsJob(workload, { ...part, target: { url: running.url, apiKey: running.apiKey }, outPath: `${folder}/calls.ndjson`, promptSeed: input.promptSeed }), {
      cpus: placement.clientCpus, signal: AbortSignal.any([signal, server.gone])
    })
    signal.throwIfAborted()
    return summary
  }
  if (workload.warmupCalls > 0) await run({ callPhase: 'warm-up', clients: 1, callsPerClient: workload.warmupCalls })
  const groupCountersAtStart = group === undefined ? undefined : countersOf(group)
  input.onStep('load')
  const load = await run({ callPhase: 'load', clients: workload.clients, callsPerClient: workload.calls, ...atLeast(workload) })
  const serverEnd = await server.end(load.failed + load.unanswered > 0 || load.sent === 0)
  return {
    loadFromMs: load.fromMs,
    judgedFromMs: load.fromMs,
    judgedToMs: load.toMs,
    drainedAtMs: load.drainedAtMs,
    readBack: {},
    generatorEventLoopDelayMaxMs: load.eventLoopDelayMaxMs,
    ...(groupCountersAtStart === undefined ? {} : { groupCountersAtStart }),
    ...(serverEnd === undefined ? {} : { serverEnd })
  }
}

/** Of the load; the warm-up is over when its calls are. */
export function atLeast ({ atLeastSeconds }: StreamsWorkload): Pick<StreamsJob, 'atLeastSeconds'> {
  return atLeastSeconds === undefined ? {} : { atLeastSeconds }
}

export function streamsJob (workload: StreamsWorkload, rest: Pick<StreamsJob, 'target' | 'outPath' | 'promptSeed' | 'callPhase' | 'clients' | 'callsPerClient' | 'atLeastSeconds'>): StreamsJob {
  return { phase: 'streams', ...rest, promptWords: workload.promptWords, predictTokens: workload.predictTokens, patienceSeconds: workload.patienceSeconds }
}
