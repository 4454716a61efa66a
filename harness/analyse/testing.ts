import { normal, seededRandom, type Random } from '../stats/random.js'
import type { Block, BlockPlan, CallSample, Evidence, Manifest, OpenLoopPlan, OpenLoopWorkload, OsSample } from '../types.js'
import { admission } from './claims/admission.js'
import { defaultOutcomes } from './outcomes.js'
import { simulatedManifest } from './testing-manifest.js'

/** Evidence with known effects, from a small simulation of a server with slots. For tests only. */
export interface SimulationOptions {
  readonly pairs: number
  readonly seed: number
  /** Offered ÷ capacity. */
  readonly overload: number
  /** Which arms have a bounded queue in front of the server; the others have its unbounded one. */
  readonly bounded: readonly string[]
  /** Service rate of the `after` arm ÷ that of `before`; its closed loop has it too. */
  readonly speedUp: number
  /** Work per token of llama-server in `after` ÷ `before`: a change that is not the queue's. */
  readonly cpuFactor: number
  /** How many times slower the machine is under the load than in the closed loop of the same block. */
  readonly loadSlowdown: number
  /** Standard deviation of the log of a block's speed. */
  readonly blockNoise: number
  /** Sources that the sampler lacks. */
  readonly without: readonly ('process' | 'serverSockets' | 'requestsDeferred')[]
  readonly windowSeconds: number
}

export const simulationDefaults: SimulationOptions = {
  pairs: 8, seed: 1, overload: 2, bounded: ['after'], speedUp: 1, cpuFactor: 1, loadSlowdown: 1, blockNoise: 0.03, without: [], windowSeconds: 30
}

const slots = 4
const capacity = 8
const tokens = 8
const limitMs = 1500
const rampMs = 3000
const drainMs = 8000
const closedLoopMs = 10_000

export function simulate (options: Partial<SimulationOptions> = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const all = { ...simulationDefaults, ...options }
  const plans = Array.from({ length: 2 * all.pairs }, (_, i): BlockPlan => ({
    index: i + 1, pair: (i >> 1) + 1, condition: (i % 4 === 0 || i % 4 === 3) ? 'before' : 'after', traceSeed: all.seed * 1000 + (i >> 1)
  }))
  const workload: OpenLoopWorkload = {
    kind: 'open-loop',
    classes: [{ name: 'short', promptWords: 32, maxTokens: tokens, share: 1 }],
    ratePerSecond: all.overload * capacity,
    rampSeconds: rampMs / 1000,
    windowSeconds: all.windowSeconds,
    drainSeconds: drainMs / 1000,
    capacitySeconds: closedLoopMs / 1000,
    closedLoopClients: slots,
    ttftLimitMs: { short: limitMs }
  }
  const placement = { serverCpus: [0], clientCpus: [1], note: '' }
  const draft: Omit<OpenLoopPlan, 'predictions'> = {
    schemaVersion: 2,
    experiment: 'admission',
    question: 'Does admission keep the capacity good under overload?',
    preset: 'laptop',
    seed: all.seed,
    design: 'pairs',
    quiet: false,
    effects: [],
    claims: ['admission-keeps-capacity-good'],
    conditions: [{ id: 'before', title: 'llama-server alone', policies: [], knobs: [], factors: {} }, { id: 'after', title: 'with admission', policies: ['admission'], knobs: [], factors: {}, baseline: 'before' }],
    workload,
    calibration: { unloadedTtftMs: 100, capacityPerSecond: capacity, answers: 40 },
    blocks: plans,
    outcomes: defaultOutcomes,
    alpha: 0.05,
    expected: { offeredPerCondition: 1, answeredPerCondition: 1, unsupported: [], verdict: all.pairs >= 8 },
    createdAt: '2026-01-01T00:00:00.000Z'
  }
  const manifest: Manifest = { ...simulatedManifest, server: { ...simulatedManifest.server, slots, batchTokens: 256 }, placement }
  return {
    planSha256: '0'.repeat(64),
    plan: { ...draft, predictions: admission.predictions(draft, manifest) },
    manifest,
    blocks: plans.map(plan => simulateBlock(plan, all))
  }
}

function simulateBlock (plan: BlockPlan, options: SimulationOptions): Block {
  const noise = seededRandom(options.seed * 7919 + plan.index)
  const speed = Math.exp(options.blockNoise * normal(noise)) * (plan.condition === 'after' ? options.speedUp : 1)
  const serviceMs = (): number => 1000 * slots / capacity / speed * Math.exp(0.05 * normal(noise))
  const loadFromMs = plan.index * 1e6 + closedLoopMs + 1000
  const judgedFromMs = loadFromMs + rampMs
  const judgedToMs = judgedFromMs + options.windowSeconds * 1000
  const closed = closedLoop(plan.index * 1e6, serviceMs)
  const bounded = options.bounded.includes(plan.condition)
  const { calls, inServer } = openLoop(arrivals(plan.traceSeed, options.overload * capacity, loadFromMs, judgedToMs), judgedToMs + drainMs, bounded, () => serviceMs() * options.loadSlowdown)
  return {
    evidence: {
      plan,
      closedLoops: [{ fromMs: plan.index * 1e6, toMs: plan.index * 1e6 + closedLoopMs }],
      loadFromMs,
      judgedFromMs,
      judgedToMs,
      drainedAtMs: judgedToMs + drainMs,
      startedAt: '2026-01-01T00:00:00.000Z',
      serverCommandLine: ['llama-server'],
      placement: { serverCpus: [0], clientCpus: [1], note: '' },
      readBack: {},
      generatorEventLoopDelayMaxMs: 2,
      warnings: []
    },
    calls: [...closed, ...calls],
    samples: sampled(plan, [...closed, ...calls], inServer, [[plan.index * 1e6, plan.index * 1e6 + closedLoopMs], [judgedFromMs, judgedToMs]], options),
    records: []
  }
}

function arrivals (seed: number, ratePerSecond: number, fromMs: number, toMs: number): number[] {
  const random = seededRandom(seed)
  const times: number[] = []
  for (let atMs = fromMs; ; times.push(atMs)) {
    atMs -= Math.log(1 - random()) * 1000 / ratePerSecond
    if (atMs >= toMs) return times
  }
}

function answered (phase: CallSample['phase'], seq: number, intendedMs: number, startMs: number, endMs: number): CallSample {
  const stepMs = (endMs - startMs) / tokens
  return {
    phase, seq, cls: 'short', intendedMs, sentMs: intendedMs + 0.2, headersMs: startMs, firstMs: startMs + stepMs, lastMs: endMs, doneMs: endMs, status: 200, outcome: 'answered', chunks: tokens, itlMs: Array<number>(tokens - 1).fill(stepMs), outputTokens: tokens
  }
}

function closedLoop (fromMs: number, serviceMs: () => number): CallSample[] {
  const free = Array.from({ length: slots }, (_, i) => fromMs + 20 * i)
  const calls: CallSample[] = []
  for (let slot = soonest(free); free[slot]! < fromMs + closedLoopMs; slot = soonest(free)) {
    const startMs = free[slot]!
    free[slot] = startMs + serviceMs()
    calls.push(answered('capacity', calls.length, startMs - 0.2, startMs, free[slot]!))
  }
  return calls
}

interface Served { readonly calls: CallSample[], readonly inServer: { fromMs: number, toMs: number }[] }

/** First in, first out; bounded: a call that would not start within 1 s is refused at once, and waits outside the server. */
function openLoop (times: readonly number[], endMs: number, bounded: boolean, serviceMs: () => number): Served {
  const free = Array<number>(slots).fill(0)
  const inServer: Served['inServer'] = []
  const calls = times.map((intendedMs, seq): CallSample => {
    const slot = soonest(free)
    const startMs = Math.max(intendedMs, free[slot]!)
    if (bounded && startMs - intendedMs > 1000) {
      return { phase: 'load', seq, cls: 'short', intendedMs, sentMs: intendedMs + 0.2, doneMs: intendedMs + 2, status: 429, outcome: 'refused', reason: 'queue-full', chunks: 0, itlMs: [] }
    }
    free[slot] = startMs + serviceMs()
    inServer.push({ fromMs: bounded ? startMs : intendedMs, toMs: free[slot]! })
    if (free[slot]! <= endMs) return answered('load', seq, intendedMs, startMs, free[slot]!)
    return { phase: 'load', seq, cls: 'short', intendedMs, sentMs: intendedMs + 0.2, doneMs: endMs, outcome: 'unanswered', chunks: 0, itlMs: [] }
  })
  return { calls, inServer }
}

function soonest (free: readonly number[]): number {
  return free.indexOf(Math.min(...free))
}

function sampled (plan: BlockPlan, calls: readonly CallSample[], inServer: Served['inServer'], windows: ReadonlyArray<readonly [fromMs: number, toMs: number]>, options: SimulationOptions): OsSample[] {
  const random: Random = seededRandom(options.seed * 104_729 + plan.index)
  const usecPerToken = 9000 * Math.exp(0.01 * normal(random)) * (plan.condition === 'after' ? options.cpuFactor : 1)
  const times = windows.flatMap(([fromMs, toMs]) => Array.from({ length: Math.floor((toMs - fromMs) / 2000) + 1 }, (_, i) => fromMs + 2000 * i))
  return times.map((atMs, i) => {
    const inside = inServer.filter(stay => stay.fromMs <= atMs && stay.toMs > atMs).length
    const paid = calls.reduce((sum, call) => call.firstMs === undefined ? sum : sum + Math.max(0, Math.min(tokens, 1 + Math.floor((atMs - call.firstMs) / (call.itlMs[0] ?? 1)))) * (call.phase === 'load' ? options.loadSlowdown : 1), 0)
    const has = (source: SimulationOptions['without'][number]): boolean => !options.without.includes(source)
    return {
      atMs,
      ...(has('process') && { process: { rssBytes: 1e8, minorFaults: 0, majorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0, cpuUsec: Math.round(paid * usecPerToken), threads: 1 } }),
      ...(has('serverSockets') && { serverSockets: inside + 1 }),
      ...(has('requestsDeferred') && { requestsProcessing: Math.min(slots, inside), requestsDeferred: Math.max(0, inside - slots) }),
      samplerCpuUsec: i * 500
    }
  })
}
