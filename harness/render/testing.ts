/** A small simulated run for tests and for looking at: before = a queue that grows, after = a bounded one that refuses. */
import { quantile, seededRandom, simulateBlock } from './testing-blocks.js'
import { bandLeg } from '../analyse/claims/leg.js'
import type { Block, BlockPlan, Cell, Contrast, Evidence, Leg, Manifest, OpenLoopBlockSummary, OpenLoopPlan, OpenLoopResult } from '../types.js'

export interface FakeRun {
  readonly evidence: Evidence & { readonly plan: OpenLoopPlan }
  readonly result: OpenLoopResult
}

export const FAKE_LIMIT_MS = 1500

function fakePlan (pairs: number): OpenLoopPlan {
  const blocks = Array.from({ length: pairs * 2 }, (_, index): BlockPlan => {
    const pair = Math.floor(index / 2)
    const first = pair % 2 === 0 ? 'before' : 'after'
    return { index: index + 1, pair: pair + 1, condition: index % 2 === 0 ? first : first === 'before' ? 'after' : 'before', traceSeed: 100 + pair }
  })
  return {
    schemaVersion: 2,
    experiment: 'compare-admission',
    question: 'Does the admission policy keep the server useful when more is asked of it than it can do?',
    preset: 'laptop',
    seed: 1,
    design: 'pairs',
    quiet: false,
    effects: [],
    claims: [],
    conditions: [
      { id: 'before', title: 'llama-server behind the gateway without a policy', policies: [], knobs: [], factors: {} },
      { id: 'after', title: 'the same with admission: places for the slots, a bounded queue', policies: ['admission'], knobs: [], factors: {}, baseline: 'before' }
    ],
    workload: {
      kind: 'open-loop',
      classes: [{ name: 'short', promptWords: 32, maxTokens: 16, share: 1 }],
      ratePerSecond: 5.6,
      rampSeconds: 3,
      windowSeconds: 24,
      drainSeconds: 5,
      capacitySeconds: 4,
      closedLoopClients: 4,
      ttftLimitMs: { short: FAKE_LIMIT_MS }
    },
    calibration: { unloadedTtftMs: 150, capacityPerSecond: 5, answers: 20 },
    blocks,
    outcomes: [
      { metric: 'good-per-second', unit: '1/s', better: 'higher', primary: true, matters: 1.1 },
      { metric: 'good-per-capacity', unit: 'ratio', better: 'higher', primary: false, matters: 1.1 },
      { metric: 'ttft-answered-p95', unit: 'ms', better: 'lower', primary: false, matters: 1.1 },
      { metric: 'server-cpu-per-token', unit: 'µs', better: 'lower', primary: false, matters: 1.05 }
    ],
    predictions: [{ id: 'admission', metric: 'good-per-capacity', statement: 'good ÷ capacity of the after condition lies between 0.7 and 1.05', lo: 0.7, hi: 1.05 }],
    alpha: 0.05,
    expected: { offeredPerCondition: pairs * 134, answeredPerCondition: pairs * 110, unsupported: [], verdict: true },
    createdAt: '2026-01-02T03:04:05.000Z'
  }
}

export function fakeManifest (): Manifest {
  return {
    weirVersion: '0.1.0',
    node: 'v20.19.0',
    kernel: '6.8.0-45-generic',
    cpuModel: 'Example CPU @ 2.60GHz',
    cpus: 2,
    memoryBytes: 8 * 1024 ** 3,
    virtualisation: 'kvm',
    cgroup: 'v2',
    model: { name: 'smol-135m-Q8_0', path: '/home/user/.cache/weir/models/smol-135m-Q8_0.gguf', bytes: 145_000_000, sha256: 'ab'.repeat(32), parameters: 135_000_000, quantisation: 'Q8_0', synthetic: true, seed: 7 },
    server: { version: 'b6000', from: 'PATH', slots: 2, threads: 1, batchTokens: 512, slotContextTokens: 512 },
    placement: { serverCpus: [0], clientCpus: [1], note: 'server and client on CPUs of their own' },
    missing: ['ss: connections to llama-server cannot be counted']
  }
}

/** 8 pairs unless told; 0 is an empty run. Deterministic. */
export function fakeRun (pairs = 8): FakeRun {
  const plan = fakePlan(pairs)
  const blocks = plan.blocks.map((block) => simulateBlock(block, plan, seededRandom(block.traceSeed * 10 + (block.condition === 'before' ? 0 : 1))))
  const manifest = fakeManifest()
  const evidence: FakeRun['evidence'] = { plan, planSha256: 'cd'.repeat(32), manifest, blocks }
  return { evidence, result: fakeResult(evidence) }
}

function judged ({ evidence, calls }: Block) {
  return calls.filter((call) => call.phase === 'load' && call.intendedMs >= evidence.judgedFromMs && call.intendedMs < evidence.judgedToMs)
}

function summarise (block: Block, plan: OpenLoopPlan): OpenLoopBlockSummary {
  const calls = judged(block)
  const seconds = plan.workload.windowSeconds
  const answered = calls.filter((call) => call.outcome === 'answered')
  const ttfts = answered.map((call) => (call.firstMs ?? 0) - call.intendedMs)
  const good = ttfts.filter((ms) => ms <= FAKE_LIMIT_MS).length / seconds
  const capacity = block.calls.filter((call) => call.phase === 'capacity').length / plan.workload.capacitySeconds
  return {
    ...block.evidence.plan,
    capacityPerSecond: capacity,
    offeredPerSecond: calls.length / seconds,
    answeredPerSecond: answered.length / seconds,
    goodPerSecond: good,
    goodPerCapacity: good / capacity,
    ttftAnsweredP50Ms: quantile(ttfts, 0.5),
    ttftAnsweredP95Ms: quantile(ttfts, 0.95),
    tokensPerSecond: answered.reduce((sum, call) => sum + call.chunks, 0) / seconds,
    serverCpuUsecPerToken: 12_400 + (block.evidence.plan.index * 37) % 90,
    closedLoopCpuUsecPerToken: 12_300 + (block.evidence.plan.index * 31) % 90,
    dispatchDelayP95Ms: 0.8,
    samplerCpuShare: 0.006,
    valid: true
  }
}

function cell (condition: string, metric: string, unit: string, population: Cell['population'], values: readonly number[], censored: number): Cell {
  const all = [...values, ...Array.from({ length: censored }, () => Infinity)]
  const nEff = population === 'block' ? all.length : Math.round(all.length * 0.6)
  const at = (q: number, floor: number): number | null => nEff < floor ? null : quantile(all, q)
  const found = { p50: at(0.5, 5), p95: at(0.95, 59), p99: at(0.99, 299) }
  const above = Object.fromEntries(Object.entries(found).filter(([, value]) => value === Infinity).map(([name]) => [name, FAKE_LIMIT_MS]))
  const finite = (value: number | null): number | null => value === Infinity ? null : value
  const median = finite(found.p50)
  return {
    condition,
    metric,
    unit,
    population,
    n: all.length,
    nEff,
    p50: median,
    p95: finite(found.p95),
    p99: finite(found.p99),
    mean: censored > 0 || values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length,
    ...(Object.keys(above).length > 0 ? { censoredAbove: above } : {}),
    ...(median !== null ? { ci95: { p50: [median * 0.95, median * 1.06] as const } } : {})
  }
}

function cellsOf (evidence: Evidence, summaries: readonly OpenLoopBlockSummary[], arm: string): Cell[] {
  const blocks = evidence.blocks.filter((block) => block.evidence.plan.condition === arm)
  const calls = blocks.flatMap(judged)
  const own = summaries.filter((block) => block.condition === arm)
  const ttfts = (picked: typeof calls): number[] => picked.flatMap((call) => call.firstMs === undefined ? [] : [call.firstMs - call.intendedMs])
  const offered = ttfts(calls)
  const answered = calls.filter((call) => call.outcome === 'answered')
  return [
    cell(arm, 'good-per-second', '1/s', 'block', own.map((block) => block.goodPerSecond), 0),
    cell(arm, 'good-per-capacity', 'ratio', 'block', own.map((block) => block.goodPerCapacity), 0),
    cell(arm, 'ttft', 'ms', 'offered', offered, calls.length - offered.length),
    cell(arm, 'ttft', 'ms', 'answered', ttfts(answered), 0),
    cell(arm, 'request-latency', 'ms', 'answered', answered.map((call) => call.doneMs - call.intendedMs), 0),
    cell(arm, 'itl', 'ms', 'answered', answered.flatMap((call) => call.itlMs), 0),
    cell(arm, 'refusal-cost', 'ms', 'refused', calls.filter((call) => call.outcome === 'refused').map((call) => call.doneMs - call.intendedMs), 0)
  ]
}

interface Compared {
  readonly metric: string
  readonly population: Contrast['population']
  readonly pick: (block: OpenLoopBlockSummary) => number | null
}

const COMPARED: readonly Compared[] = [
  { metric: 'good-per-second', population: 'offered', pick: (block) => block.goodPerSecond },
  { metric: 'ttft-answered-p95', population: 'answered', pick: (block) => block.ttftAnsweredP95Ms },
  { metric: 'server-cpu-per-token', population: 'block', pick: (block) => block.serverCpuUsecPerToken }
]

/** A plain interval of the mean log ratio: good enough to look at, no statistics. */
function contrastOf ({ metric, population, pick }: Compared, summaries: readonly OpenLoopBlockSummary[]): Contrast {
  const logs = summaries.filter((block) => block.condition === 'before').flatMap((before) => {
    const after = summaries.find((block) => block.condition === 'after' && block.pair === before.pair)
    const [a, b] = [pick(before), after === undefined ? null : pick(after)]
    return a !== null && b !== null && a > 0 && b > 0 ? [Math.log(b / a)] : []
  })
  const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length
  const spread = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length) / Math.sqrt(logs.length) * 2.5
  const ci95: readonly [number, number] = [Math.exp(mean - spread), Math.exp(mean + spread)]
  const lower = metric !== 'good-per-second'
  const verdict = ci95[0] > 1.1 ? (lower ? 'worse' : 'better') : ci95[1] < 1 / 1.1 ? (lower ? 'better' : 'worse') : 'equivalent'
  const primary = metric === 'good-per-second'
  return {
    id: metric,
    a: 'before',
    b: 'after',
    metric,
    population,
    primary,
    ratio: Math.exp(mean),
    ci95,
    p: 0.0078,
    ...(primary ? {} : { pAdjusted: 0.023 }),
    n: logs.length,
    verdict,
    because: verdict === 'equivalent' ? 'The whole interval lies inside the band that does not matter.' : 'The whole interval lies beyond the smallest ratio that matters.'
  }
}

/** The yardstick as the analysis gives it: one sample of blocks, each against its own capacity. */
function shareOf (arm: string, summaries: readonly OpenLoopBlockSummary[]): Contrast {
  const shares = summaries.filter((block) => block.condition === arm).map((block) => block.goodPerCapacity)
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  return { id: `good-per-capacity-${arm}`, a: 'capacity of the same block', b: arm, metric: 'good-per-capacity', population: 'offered', primary: false, ratio: mean, ci95: [mean * 0.96, mean * 1.05], p: 0.4, n: shares.length, verdict: 'cannot say', because: 'Judged against 1.' }
}

function fakeResult (evidence: FakeRun['evidence']): OpenLoopResult {
  const { plan, manifest } = evidence
  const blocks = evidence.blocks.map((block) => summarise(block, plan))
  const counts = (['before', 'after'] as const).flatMap((condition) => {
    const calls = evidence.blocks.filter((block) => block.evidence.plan.condition === condition).flatMap(judged)
    const kinds = [...new Set(calls.map((call) => `${call.outcome}\n${call.reason ?? ''}`))].sort()
    return kinds.map((kind) => {
      const [outcome = '', reason = ''] = kind.split('\n')
      return { condition, outcome, reason, n: calls.filter((call) => call.outcome === outcome && (call.reason ?? '') === reason).length }
    })
  })
  const leg = legOf(blocks.length > 0)
  return {
    schemaVersion: 2,
    experiment: plan.experiment,
    question: plan.question,
    preset: plan.preset,
    planSha256: evidence.planSha256,
    complete: evidence.blocks.length > 0,
    manifest,
    design: plan.design,
    conditions: plan.conditions,
    quiet: plan.quiet,
    effects: plan.effects,
    outcomes: plan.outcomes,
    workload: plan.workload,
    cells: blocks.length === 0 ? [] : [...cellsOf(evidence, blocks, 'before'), ...cellsOf(evidence, blocks, 'after')],
    contrasts: blocks.length === 0 ? [] : [...COMPARED.map((compared) => contrastOf(compared, blocks)), shareOf('after', blocks), shareOf('before', blocks)],
    claims: [{
      id: 'admission-bounds-the-queue',
      statement: 'Admission keeps waiting time bounded, because calls wait in a bounded queue of the gateway and not in the endless one of llama-server.',
      predicted: 'good ÷ capacity of the after condition between 0.7 and 1.05; requests_deferred at most 1',
      status: blocks.length === 0 ? 'UNSUPPORTED' : 'SUPPORTED',
      application: leg('good ÷ capacity, after', 'calls.ndjson', 0.84, 0.7, 1.05),
      os: leg('voluntary switches of llama-server per token moved as predicted', '/proc/PID/task/*/status', 0.42, 0.2, 0.8),
      control: leg('CPU time per token is equal in both conditions: the machine did not get faster', '/proc/PID/stat', 1.004, 0.95, 1.05),
      mechanism: leg('requests deferred inside llama-server, most in the after condition', 'llama-server /metrics', 0, 0, 1),
      explanation: 'llama-server takes every connection and lets calls without a slot wait in a list of its own. When more arrives than it can do, this list grows for as long as the load lasts: each call waits longer than the one before, until every answer comes too late to be of use, while the CPU is as busy as ever. The policy gives out as many places as there are slots and refuses at once what would wait too long, so that the same CPU time goes into answers that are in time.'
    }],
    counts,
    blocks,
    warnings: []
  }
}

function legOf (isThere: boolean): (what: string, source: string, value: number, lo: number, hi: number) => Leg {
  return (what, source, value, lo, hi) => bandLeg(what, source, isThere ? value : null, { id: '', metric: '', statement: '', lo, hi })
}
