import { nowMs } from '../clock.js'
import type { CallSample } from '../types.js'
import { estimateCapacity, type CapacityCall } from './capacity.js'
import { openChatClient } from './client.js'
import { runClosedLoop } from './closed-loop.js'
import { runConversations } from './conversations.js'
import type { LoadJob, LoadProgress, LoadSummary, StreamsJob } from './job.js'
import { runOpenLoop } from './open-loop.js'
import { makePrompt } from './prompts.js'
import { makeRandom } from './random.js'
import { runStreams } from './streams.js'
import { createTally } from './tally.js'
import { classDealer, makeTrace } from './trace.js'
import { waitUntil } from './wait.js'

export interface JobHooks {
  readonly onSample: (sample: CallSample) => void
  /** Called once, before the first send; what it is given tells the progress at any time. */
  readonly onStart: (progress: () => LoadProgress) => void
  readonly signal: AbortSignal
}

/** Time between the making of a trace and its zero. */
const LEAD_MS = 100

/** Everything of the summary but the event loop's delay, which belongs to a process. */
export type JobSummary = Omit<LoadSummary, 'eventLoopDelayMaxMs'>

export async function runJob (job: LoadJob, hooks: JobHooks): Promise<JobSummary> {
  return job.phase === 'streams' ? await runStreamsJob(job, hooks) : await runChatJob(job, hooks)
}

async function runStreamsJob (job: StreamsJob, { onSample, onStart, signal }: JobHooks): Promise<JobSummary> {
  const tally = createTally()
  const progress = (): LoadProgress => ({ ...tally.counts(), ...(job.atLeastSeconds === undefined ? { intended: job.clients * job.callsPerClient } : {}) })
  const prompt = makePrompt(job.promptSeed, job.promptWords)
  onStart(progress)
  const fromMs = nowMs()
  await runStreams({
    target: job.target,
    phase: job.callPhase,
    clients: job.clients,
    callsPerClient: job.callsPerClient,
    atLeastMs: (job.atLeastSeconds ?? 0) * 1000,
    prompt,
    predictTokens: job.predictTokens,
    cachePrompt: job.cachePrompt === true,
    pauseMs: (job.pauseSeconds ?? 0) * 1000,
    patienceMs: job.patienceSeconds * 1000,
    signal,
    onSend: tally.onSend,
    onSample (sample) {
      tally.onSample(sample)
      onSample(sample)
    }
  })
  const drainedAtMs = nowMs()
  return { ...progress(), phase: job.phase, fromMs, toMs: drainedAtMs, drainedAtMs, stopped: signal.aborted, dispatchDelayMs: tally.dispatchDelayMs() }
}

type ChatJob = Exclude<LoadJob, StreamsJob>

async function runChatJob (job: ChatJob, { onSample, onStart, signal }: JobHooks): Promise<JobSummary> {
  const tally = createTally()
  const client = openChatClient(job.target)
  const lives: CapacityCall[] = []
  const watch = {
    client,
    signal,
    onSend: tally.onSend,
    onSample (sample: CallSample) {
      tally.onSample(sample)
      if (job.phase === 'capacity') lives.push(sample)
      onSample(sample)
    }
  }
  const trace = job.phase === 'load' && job.workers === undefined ? makeTrace(job) : []
  const intended = job.phase === 'load' && job.workers === undefined ? trace.length : job.phase === 'unloaded' ? job.callsPerClass * job.classes.length : undefined
  const progress = (): LoadProgress => ({ ...tally.counts(), ...(intended === undefined ? {} : { intended }) })
  onStart(progress)

  const fromMs = nowMs() + (job.phase === 'load' ? LEAD_MS : 0)
  const toMs = job.phase === 'unloaded' ? Infinity : fromMs + job.seconds * 1000
  const drainUntilMs = toMs + job.drainSeconds * 1000
  switch (job.phase) {
    case 'load':
      if (job.workers !== undefined) await runWorkers(job, job.workers, watch, toMs, drainUntilMs)
      else await runOpenLoop({ ...watch, trace, classes: job.classes, startAtMs: fromMs, drainUntilMs, spin: job.spin, ...(job.retry === undefined ? {} : { retry: job.retry }) })
      // All blocks have the same length, whenever the last call of a trace comes.
      await waitUntil(toMs, { spin: false, signal })
      break
    case 'conversations':
      await runConversations({ ...watch, ...job.conversations, cls: job.classes[0]?.name ?? '', seed: job.seed, untilMs: toMs, drainUntilMs })
      await waitUntil(toMs, { spin: false, signal })
      break
    case 'capacity':
      await runClosedLoop({
        ...watch,
        phase: 'capacity',
        clients: job.clients,
        nextClass: classDealer(job.classes, makeRandom(job.seed)),
        seed: job.seed,
        enough: { calls: job.clients * job.callsPerClient, notBeforeMs: toMs },
        drainUntilMs
      })
      break
    case 'unloaded':
      await runUnloaded(job, watch)
  }
  const drainedAtMs = nowMs()
  await client.close()
  const capacity = job.phase === 'capacity' ? estimateCapacity(lives, job.clients) : undefined
  return {
    ...progress(),
    phase: job.phase,
    fromMs,
    toMs: Math.min(toMs, drainedAtMs),
    drainedAtMs,
    stopped: signal.aborted,
    dispatchDelayMs: tally.dispatchDelayMs(),
    ...(capacity === undefined ? {} : { capacity })
  }
}

type Watch = Pick<Parameters<typeof runClosedLoop>[0], 'client' | 'signal' | 'onSend' | 'onSample'>

async function runWorkers ({ classes, seed }: Extract<LoadJob, { phase: 'load' }>, clients: number, watch: Watch, untilMs: number, drainUntilMs: number): Promise<void> {
  await runClosedLoop({ ...watch, phase: 'load', clients, nextClass: classDealer(classes, makeRandom(seed)), seed, untilMs, drainUntilMs })
}

/** One loop a call: each has the whole drain time as its patience. */
async function runUnloaded (job: Extract<LoadJob, { phase: 'unloaded' }>, watch: Watch): Promise<void> {
  for (let seq = 0; seq < job.callsPerClass * job.classes.length && !watch.signal.aborted; seq++) {
    const cls = job.classes[seq % job.classes.length]
    if (cls === undefined) return
    await runClosedLoop({
      ...watch,
      phase: 'unloaded',
      clients: 1,
      maxCalls: 1,
      firstSeq: seq,
      nextClass: () => cls,
      seed: job.seed,
      drainUntilMs: nowMs() + job.drainSeconds * 1000
    })
  }
}
