import { normal, seededRandom } from '../stats/random.js'
import { blocksInOrder } from '../plan/order.js'
import type { Block, BlockPlan, CallSample, Condition, Design, Evidence, OsSample, StreamsPlan, StreamsWorkload } from '../types.js'
import { claimEntry } from './claims/index.js'
import { outcomesOfStreams, outcomesOfSweep } from './outcomes.js'
import { simulatedManifest } from './testing-manifest.js'

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
  /** CPUs that the calibration saw each thread count use at once. */
  readonly cpusUsed: Readonly<Record<number, number>>
  /** Sources that this machine lacks. */
  readonly without: ReadonlyArray<'process' | 'runQueueWait' | 'throttling' | 'bursts' | 'pressure'>
}

export interface SimulatedCondition {
  readonly id: string
  readonly factors?: Condition['factors']
  readonly baseline?: string
  readonly threads?: number
  /** Running time of a token, milliseconds. */
  readonly gapMs: number
  /** CPU time of a token, microseconds; 8000 unless told. */
  readonly usecPerToken?: number
  /** Share of its running time in which somebody else has the CPU of its runnable tasks: pressure that no quota makes. */
  readonly elsewhere?: number
  readonly quota?: { readonly quotaMs: number, readonly periodMs: number, readonly cpusUsed: number }
  /** Knobs and title say a quota; the kernel knows none. */
  readonly notApplied?: true
  /** Instead of a quota that stops it: the same share of tokens takes this much longer, at random moments. */
  readonly hiccups?: { readonly share: number, readonly ms: number }
  /** Killed for want of memory after this share of its tokens; 0: before it was ready. */
  readonly killedAfter?: number
  readonly refaultedPages?: number
  /** Periods in which it used more than its quota, saved up before. */
  readonly bursts?: number
}

export const sweepConditions: readonly SimulatedCondition[] = [
  { id: 'none', factors: { quotaMs: 1000, periodMs: 1000 }, gapMs: 9 },
  { id: 'q500-p1000', factors: { quotaMs: 500, periodMs: 1000 }, baseline: 'none', gapMs: 9, quota: { quotaMs: 500, periodMs: 1000, cpusUsed: 1.25 } },
  { id: 'q125-p250', factors: { quotaMs: 125, periodMs: 250 }, baseline: 'none', gapMs: 9, quota: { quotaMs: 125, periodMs: 250, cpusUsed: 1.25 } }
]

const defaults: StreamsSimulation = { design: 'sweep', conditions: sweepConditions, repeats: 3, seed: 1, predictTokens: 320, blockNoise: 0.02, claims: [], cpusUsed: { 1: 1.25 }, without: [] }
const usualUsecPerToken = 8000

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
      knobs: quota === undefined ? ['cpu-quota=none'] : [`cpu-quota=${quota.quotaMs}/${quota.periodMs}`],
      factors,
      ...(threads === undefined ? {} : { threads }),
      ...(baseline === undefined ? {} : { baseline })
    })),
    quiet: false,
    effects: [],
    claims: all.claims,
    blocks: blocksInOrder(all.design, all.conditions.map(({ id }) => id), all.repeats, all.seed),
    workload,
    calibration: { servers: Object.entries(all.cpusUsed).map(([threads, cpusUsed]) => ({ model: 'twin', threads: Number(threads), tokensPerSecond: 111, ttftMs: 30, gapMs: 9, cpusUsed })) },
    outcomes: all.design === 'sweep' ? outcomesOfSweep() : outcomesOfStreams('itl-p99'),
    predictions: [],
    alpha: 0.05,
    expected: { offeredPerCondition: all.repeats, answeredPerCondition: all.repeats, unsupported: [], verdict: all.repeats >= 8 },
    createdAt: '2026-01-01T00:00:00.000Z'
  }
  return {
    plan: { ...plan, predictions: plan.claims.flatMap(id => claimEntry(id).predictions(plan, simulatedManifest)) },
    planSha256: '0'.repeat(64),
    manifest: simulatedManifest,
    blocks: plan.blocks.map(block => simulateBlock(block, all))
  }
}

function simulateBlock (plan: BlockPlan, all: StreamsSimulation): Block {
  const condition = all.conditions.find(({ id }) => id === plan.condition)
  if (condition === undefined) throw new Error(`no condition ${plan.condition}`)
  const random = seededRandom(all.seed * 7919 + plan.index)
  const slowness = Math.exp(all.blockNoise * normal(random))
  const fromMs = plan.index * 1e6
  const tokens = tokensOf(condition, all.predictTokens, () => condition.gapMs * slowness * Math.exp(0.05 * normal(random)), random)
  const { stamps } = tokens
  const { killedAfter } = condition
  const received = killedAfter === undefined ? stamps : stamps.slice(0, Math.floor(killedAfter * stamps.length))
  const call = killedAfter === 0 ? [] : [callOf(fromMs, received, killedAfter === undefined)]
  const toMs = call[0]?.doneMs ?? fromMs
  const stalls = tokens.stalls.filter(stall => fromMs + stall.fromMs < toMs)
  return {
    evidence: {
      plan,
      loadFromMs: fromMs,
      judgedFromMs: fromMs,
      judgedToMs: toMs,
      drainedAtMs: toMs,
      startedAt: '2026-01-01T00:00:00.000Z',
      serverCommandLine: ['llama-server', '-t', String(condition.threads ?? 1)],
      placement: { serverCpus: [1], clientCpus: [0], note: '' },
      readBack: condition.quota === undefined ? {} : { 'cpu.max': `${condition.quota.quotaMs * 1000} ${condition.quota.periodMs * 1000}` },
      generatorEventLoopDelayMaxMs: 1,
      group: { version: 'v2', path: '/sys/fs/cgroup/weir' },
      groupCountersAtStart: lacking(all, counters(condition, undefined, 0, false)),
      groupCountersAtEnd: lacking(all, counters(condition, stalls, toMs - fromMs, killedAfter !== undefined)),
      ...(killedAfter === undefined ? {} : { serverEnd: { during: killedAfter === 0 ? 'start' : 'load', code: null, signal: killedAfter === 0 ? null : 'SIGKILL', atMs: toMs, why: 'killed for want of memory' } }),
      warnings: []
    },
    calls: call,
    samples: samplesOf(received, stalls, fromMs, toMs, Math.round(slowness * (condition.usecPerToken ?? usualUsecPerToken)), all),
    records: []
  }
}

interface Tokens {
  /** Milliseconds since the call was sent; the prompt takes as long as three tokens. */
  readonly stamps: readonly number[]
  /** Milliseconds since then at which it was stopped until the end of a period. */
  readonly stalls: ReadonlyArray<{ readonly fromMs: number, readonly ms: number }>
}

function tokensOf ({ quota: labelled, notApplied, hiccups }: SimulatedCondition, count: number, nextMs: () => number, random: () => number): Tokens {
  const stamps: number[] = []
  const stalls: Array<Tokens['stalls'][number]> = []
  const quota = notApplied === true ? undefined : labelled
  let atMs = 0
  for (let i = 0; i < count; i++) {
    const workMs = nextMs() * (i === 0 ? 3 : 1) + (hiccups !== undefined && random() < hiccups.share ? hiccups.ms : 0)
    atMs = quota === undefined ? atMs + workMs : afterWork(atMs, workMs, quota, stalls)
    stamps.push(atMs)
  }
  return { stamps, stalls }
}

/** When work is done that may run only at the beginning of each period. */
function afterWork (fromMs: number, workMs: number, quota: NonNullable<SimulatedCondition['quota']>, stalls: Array<Tokens['stalls'][number]>): number {
  const canRunMs = Math.max(0, quota.quotaMs / quota.cpusUsed - fromMs % quota.periodMs)
  if (workMs <= canRunMs) return fromMs + workMs
  const stoppedMs = fromMs + canRunMs
  const ms = quota.periodMs - stoppedMs % quota.periodMs
  stalls.push({ fromMs: stoppedMs, ms })
  return afterWork(stoppedMs + ms, workMs - canRunMs, quota, stalls)
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

/** @param stalled undefined: before the load */
function counters ({ quota, notApplied, refaultedPages, bursts = 0, elsewhere = 0 }: SimulatedCondition, stalled: Tokens['stalls'] | undefined, elapsedMs: number, killed: boolean): Record<string, number> {
  const stalls = stalled ?? []
  const stalledMs = stalls.reduce((sum, { ms }) => sum + ms, 0)
  return {
    'cpu.stat.nr_periods': 5 + (quota === undefined || notApplied === true ? 0 : Math.floor(elapsedMs / quota.periodMs)),
    'cpu.stat.nr_throttled': 2 + stalls.length,
    'cpu.stat.throttled_usec': 1000 + Math.round(stalledMs * 1000 * (quota?.cpusUsed ?? 1)),
    'cpu.stat.nr_bursts': stalled === undefined ? 0 : bursts,
    'cpu.stat.usage_usec': Math.round((elapsedMs - stalledMs) * 1000),
    'cpu.pressure.full_usec': Math.round((stalledMs + elsewhere * (elapsedMs - stalledMs)) * 1000),
    'memory.stat.workingset_refault_file': stalled === undefined ? 0 : refaultedPages ?? 0,
    'memory.events.oom_kill': killed ? 1 : 0
  }
}

function lacking ({ without }: StreamsSimulation, counters: Record<string, number>): Record<string, number> {
  const gone = [...without.includes('throttling') ? ['cpu.stat.'] : [], ...without.includes('bursts') ? ['cpu.stat.nr_bursts'] : [], ...without.includes('pressure') ? ['cpu.pressure.'] : []]
  return Object.fromEntries(Object.entries(counters).filter(([name]) => !gone.some(prefix => name.startsWith(prefix))))
}

function samplesOf (stamps: readonly number[], stalls: Tokens['stalls'], fromMs: number, toMs: number, usecPerToken: number, { without }: StreamsSimulation): OsSample[] {
  return Array.from({ length: Math.floor((toMs - fromMs) / 500) + 1 }, (_, i) => {
    const atMs = fromMs + 500 * i
    const tokens = stamps.filter(stamp => fromMs + stamp <= atMs).length
    const waitedMs = stalls.reduce((sum, stall) => sum + Math.max(0, Math.min(stall.ms, atMs - fromMs - stall.fromMs)), 0)
    const process = {
      rssBytes: 1e8,
      minorFaults: 0,
      majorFaults: 0,
      voluntarySwitches: 0,
      involuntarySwitches: 0,
      cpuUsec: tokens * usecPerToken,
      readBytes: 4096 * i,
      threads: 1,
      ...(without.includes('runQueueWait') ? {} : { runQueueWaitNs: Math.round((waitedMs + 2 * tokens / 100) * 1e6) })
    }
    return { atMs, ...(without.includes('process') ? {} : { process }), samplerCpuUsec: i * 2000 }
  })
}
