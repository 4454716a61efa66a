import { startSampler, type RunningSampler } from '../probes/start-sampler.js'
import { startTools, type RunningTools } from '../tools/supervise.js'
import type { ReadyBlock } from './block.js'

export interface Observers {
  readonly sampler: RunningSampler
  readonly tools: RunningTools
}

/** What watches llama-server beside a load: our own sampler, and tools that are not ours. Both are ended by the block's undo. */
export async function startObservers ({ input: { folder, placement: { clientCpus: cpus } }, server: { running }, undo }: ReadyBlock): Promise<Observers> {
  const [sampler, tools] = await allStarted([
    undo.pushed('sampler', startSampler({ pid: running.pid, serverUrl: running.url, apiKey: running.apiKey, outPath: `${folder}/samples.ndjson`, cpus })),
    undo.pushed('second tools', startTools({ pid: running.pid, folder, cpus }))
  ])
  return { sampler, tools }
}

/** Waits for all, so that none is left half-started. @throws what one of them threw */
export async function allStarted<T extends readonly unknown[]> (starts: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(starts)
  return await Promise.all(starts) as unknown as T
}
