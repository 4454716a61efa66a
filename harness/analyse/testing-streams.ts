import { normal, seededRandom } from '../stats/random.js'
import { blocksInOrder } from '../plan/order.js'
import type { Block, BlockPlan, CallSample, Condition, Design, Evidence, OsSample, StreamsPlan, StreamsWorkload } from '../types.js'
import { outcomesOfStreams, sweepOutcomes } from './outcomes.js'

/** Evidence of streams with known effects: a server that runs until its CPU quota is used up, then stands still to the end of the period. For tests only. */
export interface StreamsSimulation {
  readonly design: Design
  readonly conditions: readonly SimulatedCondition[]
  readonly repeats: number
  readonly seed: number
  readonly predictTokens: number
  /** Standard deviation of the log of a block's speed. */
  readonly blockNoise: number
  readonly claims: readonly string[]
}

export interface SimulatedCondition {
  readonly id: string
  readonly factors?: Condition['factors']
  readonly baseline?: string
  readonly threads?: number
  /** Running time of a token, milliseconds. */
  readonly gapMs: number
  readonly quota?: { readonly quotaMs: number, readonly periodMs: number, readonly cpusUsed: number }
  /** Killed for want of memory after this share of its tokens; 0: before it was ready. */
  readonly killedAfter?: number
  readonly refaultedPages?: number
}

export const sweepConditions: readonly SimulatedCondition[] = [
  { id: 'none', factors: { quotaMs: 1000, periodMs: 1000 }, gapMs: 9 },
  { id: 'q500-p1000', factors: { quotaMs: 500, periodMs: 1000 }, baseline: 'none', gapMs: 9, quota: { quotaMs: 500, periodMs: 1000, cpusUsed: 1.25 } },
  { id: 'q125-p250', factors: { quotaMs: 125, periodMs: 250 }, baseline: 'none', gapMs: 9, quota: { quotaMs: 125, periodMs: 250, cpusUsed: 1.25 } }
]

const defaults: StreamsSimulation = { design: 'sweep', conditions: sweepConditions, repeats: 3, seed: 1, predictTokens: 320, blockNoise: 0.02, claims: [] }
const usecPerToken = 8000

export function simulateStreams (options: Partial<StreamsSimulation> = {}): Evidence & { readonly plan: StreamsPlan } {
  const all = { ...defaults, ...options }
  const workload: StreamsWorkload = { kind: 'streams', clients: 1, calls: 1, promptWords: 8, predictTokens: all.predictTokens, warmupCalls: 1, patienceSeconds: 120 }
  const plan: StreamsPlan = {
    schemaVersion: 2,
    experiment: 'dose',
    question: 'What does a CPU quota do to the gaps between tokens?',
    preset: 'laptop',
    seed: all.seed,
    design: all.design,
    conditions: all.conditions.map(({ id, factors = {}, baseline, threads, quota }) => ({
      id,
      title: quota === undefined ? 'undisturbed' : `CPU quota ${quota.quotaMs} ms in each ${quota.periodMs} ms`,
      policies: [],
      knobs: quota === undefined ? [] : [`cpu-quota=${quota.quotaMs}/${quota.periodMs}`],
      factors,
      ...(threads === undefined ? {} : { threads }),
      ...(baseline === undefined ? {} : { baseline })
    })),
    quiet: false,
    effects: [],
    claims: all.claims,
    blocks: blocksInOrder(all.design, all.conditions.map(({ id }) => id), all.repeats, all.seed),
    workload,
    calibration: { servers: [{ model: 'twin', threads: 1, tokensPerSecond: 111, ttftMs: 30, gapMs: 9, cpusUsed: 1.25 }] },
    outcomes: all.design === 'sweep' ? sweepOutcomes : outcomesOfStreams('itl-p99'),
    predictions: [],
    alpha: 0.05,
    expected: { offeredPerCondition: all.repeats, answeredPerCondition: all.repeats, unsupported: [], verdict: all.repeats >= 8 },
    createdAt: '2026-01-01T00:00:00.000Z'
  }
  return {
    plan,
    planSha256: '0'.repeat(64),
    manifest: {
      weirVersion: '0.1.0',
      node: 'v20.19.0',
      kernel: 'Linux 6.8',
      cpuModel: 'simulated',
      cpus: 2,
      memoryBytes: 1,
      virtualisation: 'none',
      cgroup: 'v2',
      model: { name: 'twin', path: 'twin.gguf', bytes: 1, sha256: '0', parameters: 1, quantisation: 'Q8_0', synthetic: true, seed: 1 },
      server: { version: 'b1', from: 'PATH', slots: 1, threads: 1, batchTokens: 512, slotContextTokens: 512 },
      placement: { serverCpus: [1], clientCpus: [0], note: '' },
      missing: []
    },
    blocks: plan.blocks.map(block => simulateBlock(block, all))
  }
}

function simulateBlock (plan: BlockPlan, all: StreamsSimulation): Block {
  const condition = all.conditions.find(({ id }) => id === plan.condition)
  if (condition === undefined) throw new Error(`no condition ${plan.condition}`)
  const random = seededRandom(all.seed * 7919 + plan.index)
  const slowness = Math.exp(all.blockNoise * normal(random))
  const fromMs = plan.index * 1e6
  const stamps = tokenStamps(condition, all.predictTokens, () => condition.gapMs * slowness * Math.exp(0.05 * normal(random)))
  const { killedAfter } = condition
  const received = killedAfter === undefined ? stamps : stamps.slice(0, Math.floor(killedAfter * stamps.length))
  const call = killedAfter === 0 ? [] : [callOf(fromMs, received, killedAfter === undefined)]
  const toMs = call[0]?.doneMs ?? fromMs
  const seconds = (toMs - fromMs) / 1000
  return {
    evidence: {
      plan,
      loadFromMs: fromMs,
      judgedFromMs: fromMs,
      judgedToMs: toMs,
      drainedAtMs: toMs,
      startedAt: '2026-01-01T00:00:00.000Z',
      serverCommandLine: ['llama-server'],
      placement: { serverCpus: [1], clientCpus: [0], note: '' },
      readBack: condition.quota === undefined ? {} : { 'cpu.max': `${condition.quota.quotaMs * 1000} ${condition.quota.periodMs * 1000}` },
      generatorEventLoopDelayMaxMs: 1,
      group: { version: 'v2', path: '/sys/fs/cgroup/weir' },
      groupCountersAtStart: counters(condition, 0, false),
      groupCountersAtEnd: counters(condition, seconds, killedAfter !== undefined),
      ...(killedAfter === undefined ? {} : { serverEnd: { during: killedAfter === 0 ? 'start' : 'load', code: null, signal: killedAfter === 0 ? null : 'SIGKILL', atMs: toMs, why: 'killed for want of memory' } }),
      warnings: []
    },
    calls: call,
    samples: samplesOf(received, fromMs, toMs),
    records: []
  }
}

/** Milliseconds since the call was sent; the prompt takes as long as three tokens. */
function tokenStamps ({ quota }: SimulatedCondition, tokens: number, nextMs: () => number): number[] {
  const stamps: number[] = []
  let atMs = 0
  for (let i = 0; i < tokens; i++) {
    const workMs = nextMs() * (i === 0 ? 3 : 1)
    atMs = quota === undefined ? atMs + workMs : afterWork(atMs, workMs, quota)
    stamps.push(atMs)
  }
  return stamps
}

/** When work is done that may run only at the beginning of each period. */
function afterWork (fromMs: number, workMs: number, { quotaMs, periodMs, cpusUsed }: NonNullable<SimulatedCondition['quota']>): number {
  const inPeriodMs = fromMs % periodMs
  const canRunMs = Math.max(0, quotaMs / cpusUsed - inPeriodMs)
  if (workMs <= canRunMs) return fromMs + workMs
  return afterWork(fromMs - inPeriodMs + periodMs, workMs - canRunMs, { quotaMs, periodMs, cpusUsed })
}

function callOf (fromMs: number, stamps: readonly number[], answered: boolean): CallSample {
  const at = (i: number): number => fromMs + 0.1 + (stamps.at(i) ?? 0)
  return {
    phase: 'load',
    seq: 0,
    cls: 'stream',
    intendedMs: fromMs + 0.1,
    sentMs: fromMs + 0.1,
    firstMs: at(0),
    lastMs: at(-1),
    doneMs: at(-1) + 0.5,
    status: 200,
    ...(answered ? { outcome: 'answered', outputTokens: stamps.length } : { outcome: 'failed', reason: 'cut: ECONNRESET' }),
    chunks: stamps.length,
    itlMs: stamps.slice(1).map((stamp, i) => Math.round((stamp - (stamps[i] ?? 0)) * 100) / 100)
  }
}

function counters ({ quota, refaultedPages }: SimulatedCondition, seconds: number, killed: boolean): Record<string, number> {
  const periods = quota === undefined ? 0 : Math.floor(seconds * 1000 / quota.periodMs)
  const stallMs = quota === undefined ? 0 : quota.periodMs - quota.quotaMs / quota.cpusUsed
  return {
    'cpu.stat.nr_periods': 5 + periods,
    'cpu.stat.nr_throttled': 2 + periods,
    'cpu.stat.throttled_usec': 1000 + Math.round(periods * stallMs * 1250),
    'cpu.pressure.full_usec': Math.round(periods * stallMs * 1000),
    'memory.stat.workingset_refault_file': seconds > 0 ? refaultedPages ?? 0 : 0,
    'memory.events.oom_kill': killed ? 1 : 0
  }
}

function samplesOf (stamps: readonly number[], fromMs: number, toMs: number): OsSample[] {
  return Array.from({ length: Math.floor((toMs - fromMs) / 500) + 1 }, (_, i) => {
    const atMs = fromMs + 500 * i
    const tokens = stamps.filter(stamp => fromMs + stamp <= atMs).length
    return {
      atMs,
      process: { rssBytes: 1e8, minorFaults: 0, majorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0, cpuUsec: tokens * usecPerToken, readBytes: 4096 * i, threads: 1 },
      samplerCpuUsec: i * 2000
    }
  })
}
