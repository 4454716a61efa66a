import { experimentFiles, isSweep } from '../plan/experiment-file.js'
import { workloadOf } from '../plan/condition-workload.js'
import { blocksInOrder } from '../plan/order.js'
import { conditionsOfSweep, streamsOf } from '../plan/sweep.js'
import { parseKnobs } from '../knobs/index.js'
import type { Block, BlockPlan, CalibratedServer, CallSample, Condition, Evidence, Manifest, OsSample, StreamsPlan, StreamsWorkload } from '../types.js'
import { claimEntry } from './claims/index.js'
import { outcomesOfSweep } from './outcomes.js'
import { simulateStreams } from './testing-streams.js'

/** What a block of a condition shows. For tests only. */
export interface Seen {
  readonly ttftMs: number
  readonly gapMs: number
  readonly promptTokens: number
  readonly cachedTokens?: number
  readonly promptMs?: number
  /** CPU time of llama-server ÷ wall time. */
  readonly cpusUsed?: number
  readonly tokensPerDecode?: number
  /** Of llama-server's process before the load, and what it grows by in the load. */
  readonly before?: Partial<NonNullable<OsSample['process']>>
  readonly grown?: Partial<NonNullable<OsSample['process']>>
  /** Launch to healthy. */
  readonly startMs?: number
  readonly stealShare?: number
  readonly majorFaultsPerSecond?: number
  readonly queueShare?: number
  readonly readBack?: Readonly<Record<string, string>>
  readonly groupAtStart?: Readonly<Record<string, number>>
  /** Of one thread, before and after. */
  readonly yardstickMs?: number
}

export type Source = 'process' | 'timings' | 'metrics' | 'host' | 'queue' | 'group' | 'start'

export interface FactorSimulation {
  /** A sweep of bench/experiments. */
  readonly experiment: string
  readonly calibration: readonly CalibratedServer[]
  readonly seen: (condition: Condition, workload: StreamsWorkload) => Seen
  readonly repeats?: number
  readonly without?: Source
  readonly manifest?: Partial<Manifest>
}

/** A run of a sweep as its file says it, with known figures; its predictions are made as before a run. */
export function simulateFactor ({ experiment, calibration, seen, repeats = 2, without, manifest: more = {} }: FactorSimulation): Evidence & { readonly plan: StreamsPlan } {
  const file = experimentFiles().find(({ name }) => name === experiment)
  if (file === undefined || !isSweep(file)) throw new Error(`no sweep ${experiment}`)
  const conditions = conditionsOfSweep(file, parseKnobs)
  const base = simulateStreams({ repeats: 1 })
  const [first] = calibration
  if (first === undefined) throw new Error('nothing calibrated')
  const manifest: Manifest = { ...base.manifest, model: { ...base.manifest.model, name: first.model }, server: { ...base.manifest.server, threads: first.threads }, ...more }
  const workload = streamsOf(file.workload)
  const draft = {
    ...base.plan,
    experiment,
    conditions,
    workload,
    blocks: blocksInOrder('sweep', conditions.map(({ id }) => id), repeats, 1),
    claims: file.claim === undefined ? [] : [file.claim],
    calibration: { servers: calibration },
    outcomes: outcomesOfSweep(file.outcomes)
  }
  const plan = { ...draft, predictions: draft.claims.flatMap(id => claimEntry(id).predictions(draft, manifest)) }
  return { ...base, plan, manifest, blocks: plan.blocks.map(block => blockOf(block, plan, seen, without)) }
}

function blockOf (block: BlockPlan, plan: StreamsPlan, seenOf: FactorSimulation['seen'], without: Source | undefined): Block {
  const condition = plan.conditions.find(({ id }) => id === block.condition)
  if (condition === undefined) throw new Error(`no condition ${block.condition}`)
  const workload = workloadOf(plan.workload, condition)
  const seen = seenOf(condition, workload)
  const fromMs = block.index * 1e6
  const calls = Array.from({ length: workload.clients }, (_, client) => Array.from({ length: workload.calls }, (_, call) => callOf(fromMs, client, call, workload, seen, without))).flat()
  const toMs = Math.max(...calls.map(({ doneMs }) => doneMs)) + 1
  const tokens = workload.clients * workload.calls * workload.predictTokens
  const counters = { n_decode_total: 10, tokens_predicted_total: 10 }
  return {
    evidence: {
      plan: block,
      loadFromMs: fromMs,
      judgedFromMs: fromMs,
      judgedToMs: toMs,
      drainedAtMs: toMs,
      startedAt: '2026-01-01T00:00:00.000Z',
      serverCommandLine: ['llama-server', '-t', String(condition.threads ?? plan.calibration.servers[0]?.threads ?? 1)],
      placement: { serverCpus: [1], clientCpus: [0], note: '' },
      readBack: seen.readBack ?? {},
      generatorEventLoopDelayMaxMs: 1,
      ...(without === 'start' ? {} : { serverStart: { launchedMs: fromMs - 5000, readyMs: fromMs - 5000 + (seen.startMs ?? 500) } }),
      ...(without === 'process' ? {} : { osAtStart: { process: processAt(seen, 0, toMs - fromMs) }, osAtEnd: { process: processAt(seen, 1, toMs - fromMs) } }),
      ...(without === 'metrics' ? {} : { serverCountersAtStart: counters, serverCountersAtEnd: { n_decode_total: 10 + tokens / (seen.tokensPerDecode ?? 1), tokens_predicted_total: 10 + tokens } }),
      ...(without === 'group' ? {} : { group: { version: 'v2' as const, path: '/sys/fs/cgroup/weir' }, groupCountersAtStart: { 'cpu.stat.nr_throttled': 0, ...seen.groupAtStart }, groupCountersAtEnd: { 'cpu.stat.nr_throttled': 0, ...seen.groupAtStart } }),
      ...(seen.yardstickMs === undefined ? {} : { yardstick: { threads: 1, beforeMs: seen.yardstickMs, afterMs: seen.yardstickMs } }),
      warnings: []
    },
    calls,
    samples: Array.from({ length: 11 }, (_, i) => sampleAt(seen, fromMs, i / 10, toMs - fromMs, without)),
    records: []
  }
}

function callOf (fromMs: number, client: number, call: number, { predictTokens, calls }: StreamsWorkload, seen: Seen, without: Source | undefined): CallSample {
  const sentMs = fromMs + call * (seen.ttftMs + predictTokens * seen.gapMs)
  const firstMs = sentMs + seen.ttftMs
  const lastMs = firstMs + (predictTokens - 1) * seen.gapMs
  return {
    phase: 'load',
    seq: client * calls + call,
    cls: 'stream',
    intendedMs: sentMs,
    sentMs,
    firstMs,
    lastMs,
    doneMs: lastMs + 0.01,
    status: 200,
    outcome: 'answered',
    chunks: predictTokens,
    outputTokens: predictTokens,
    itlMs: Array.from({ length: predictTokens - 1 }, () => seen.gapMs),
    promptTokens: seen.promptTokens,
    ...(without === 'timings' ? {} : { cachedTokens: seen.cachedTokens ?? 0, promptMs: seen.promptMs ?? seen.ttftMs })
  }
}

function processAt ({ cpusUsed = 1, before = {}, grown = {}, majorFaultsPerSecond = 0 }: Seen, share: number, wallMs: number): NonNullable<OsSample['process']> {
  const zero = { rssBytes: 1e8, minorFaults: 0, majorFaults: 0, cpuUsec: 0, threads: 3, readBytes: 0, voluntarySwitches: 0, involuntarySwitches: 0 }
  const from = { ...zero, ...before }
  const grow = (key: 'minorFaults' | 'readBytes' | 'voluntarySwitches' | 'involuntarySwitches'): number => (from[key] ?? 0) + share * (grown[key] ?? 0)
  return {
    ...from,
    minorFaults: grow('minorFaults'),
    majorFaults: from.majorFaults + share * (grown.majorFaults ?? majorFaultsPerSecond * wallMs / 1000),
    cpuUsec: from.cpuUsec + share * (grown.cpuUsec ?? cpusUsed * wallMs * 1000),
    readBytes: grow('readBytes'),
    voluntarySwitches: grow('voluntarySwitches'),
    involuntarySwitches: grow('involuntarySwitches')
  }
}

function sampleAt (seen: Seen, fromMs: number, share: number, wallMs: number, without: Source | undefined): OsSample {
  const { stealShare = 0, queueShare = 0.01, cpusUsed = 1 } = seen
  const allUsec = 2 * share * wallMs * 1000
  const busyUsec = Math.min(1, (cpusUsed + 0.1) / 2) * allUsec
  const waitedNs = 1e6 * share * wallMs * cpusUsed * queueShare / (1 - queueShare)
  return {
    atMs: fromMs + share * wallMs,
    ...(without === 'process' ? {} : { process: { ...processAt(seen, share, wallMs), ...(without === 'queue' ? {} : { runQueueWaitNs: waitedNs }) } }),
    ...(without === 'host' ? {} : { host: { stealUsec: stealShare * allUsec, busyUsec, idleUsec: (1 - stealShare) * allUsec - busyUsec, contextSwitches: 0 } }),
    samplerCpuUsec: 0
  }
}
