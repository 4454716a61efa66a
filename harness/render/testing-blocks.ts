/** Simulates one block: Poisson arrivals at a server with two slots, with or without a bounded queue in front. */
import type { CallRecord } from '../../policies/contract.js'
import type { Block, BlockPlan, CallSample, OpenLoopPlan, OsSample } from '../types.js'
import { callRecord } from '../analyse/testing-records.js'

export type Random = () => number

/** Mulberry32. */
export function seededRandom (seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6D2B79F5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Nearest rank; null of nothing. */
export function quantile (values: readonly number[], q: number): number | null {
  return [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? null
}

const SLOTS = 2
const TOKENS = 16
const PREFILL_MS = 90
const TOKEN_MS = 18
const LONGEST_WAIT_MS = 900

interface Timeline {
  readonly calls: CallSample[]
  readonly records: CallRecord[]
}

function answer (seq: number, phase: CallSample['phase'], intendedMs: number, startMs: number, random: Random): CallSample {
  const firstMs = startMs + PREFILL_MS * (0.85 + 0.3 * random())
  const itlMs = Array.from({ length: TOKENS - 1 }, () => Number((TOKEN_MS * (0.8 + 0.4 * random()) + (random() < 0.04 ? 70 + 20 * random() : 0)).toFixed(2)))
  const lastMs = firstMs + itlMs.reduce((sum, gap) => sum + gap, 0)
  return { phase, seq, cls: 'short', intendedMs, sentMs: intendedMs + random(), headersMs: startMs + 2, firstMs, lastMs, doneMs: lastMs + 1, status: 200, outcome: 'answered', chunks: TOKENS, itlMs, promptTokens: 34, outputTokens: TOKENS, promptMs: firstMs - startMs, predictedMs: lastMs - firstMs }
}

function record (call: CallSample, admittedAtMs: number | undefined): CallRecord {
  return callRecord({
    id: `c${call.seq}`,
    caller: 'load',
    status: call.status ?? 499,
    outcome: call.outcome === 'answered' ? 'complete' : call.outcome === 'refused' ? 'refused' : 'left',
    arrivedAtMs: call.sentMs + 0.3,
    ...(admittedAtMs === undefined ? {} : { admittedAtMs }),
    overAtMs: call.doneMs,
    queueWaitMs: admittedAtMs === undefined ? 0 : admittedAtMs - call.sentMs
  })
}

function capacity (fromMs: number, toMs: number, random: Random): CallSample[] {
  const calls: CallSample[] = []
  for (let slot = 0; slot < SLOTS; slot += 1) {
    for (let at = fromMs; ;) {
      const call = answer(calls.length, 'capacity', at, at, random)
      if (call.doneMs > toMs) break
      calls.push(call)
      at = call.doneMs
    }
  }
  return calls
}

function load (arm: BlockPlan['condition'], plan: OpenLoopPlan, fromMs: number, patienceEndMs: number, arrivals: Random, random: Random): Timeline {
  const { ratePerSecond, rampSeconds, windowSeconds } = plan.workload
  const free = Array.from({ length: SLOTS }, () => fromMs)
  const timeline: Timeline = { calls: [], records: [] }
  for (let atMs = fromMs, seq = 0; ; seq += 1) {
    atMs -= Math.log(1 - arrivals()) / ratePerSecond * 1000
    if (atMs >= fromMs + (rampSeconds + windowSeconds) * 1000) return timeline
    const slot = free.indexOf(Math.min(...free))
    const startMs = Math.max(atMs + 1, free[slot] ?? atMs)
    const base = { phase: 'load', seq, cls: 'short', intendedMs: atMs, sentMs: atMs + random(), chunks: 0, itlMs: [] } as const
    if (arm === 'after' && startMs - atMs > LONGEST_WAIT_MS) {
      const refused: CallSample = { ...base, doneMs: atMs + 4 + 3 * random(), status: 429, outcome: 'refused', reason: 'queue-full', retryAfterSeconds: 1 }
      timeline.calls.push(refused)
      timeline.records.push(record(refused, undefined))
      continue
    }
    const answered = answer(seq, 'load', atMs, startMs, random)
    if (answered.doneMs > patienceEndMs) {
      const unanswered: CallSample = { ...base, doneMs: patienceEndMs, outcome: 'unanswered', reason: 'patience' }
      timeline.calls.push(unanswered)
      timeline.records.push(record(unanswered, unanswered.sentMs + 0.5))
      continue
    }
    free[slot] = answered.doneMs
    timeline.calls.push(answered)
    timeline.records.push(record(answered, arm === 'after' ? startMs : answered.sentMs + 0.5))
  }
}

function samplesOf ({ calls, records }: Timeline, arm: BlockPlan['condition'], fromMs: number, toMs: number, random: Random): OsSample[] {
  const samples: OsSample[] = []
  let [cpuUsec, switches, waitNs, psiUsec, readBytes] = [2_000_000, 5_000, 80_000_000, 900_000, 150_000_000]
  for (let atMs = fromMs; atMs <= toMs; atMs += 500) {
    const waiting = records.filter((each) => (each.admittedAtMs ?? Infinity) <= atMs && each.overAtMs > atMs).length
    const busy = calls.some((call) => call.intendedMs <= atMs && call.doneMs > atMs) ? 1 : 0
    cpuUsec += busy * 480_000 + 5_000 * random()
    switches += busy * (arm === 'before' ? 900 : 700) * (0.8 + 0.4 * random())
    waitNs += busy * 20_000_000 * random()
    psiUsec += busy * 60_000 * random()
    readBytes += random() < 0.1 ? 40_000 : 0
    const whole = Math.round
    samples.push({
      atMs,
      process: { rssBytes: 300_000_000, minorFaults: 90_000, majorFaults: 12, voluntarySwitches: whole(switches), involuntarySwitches: 40, runQueueWaitNs: whole(waitNs), cpuUsec: whole(cpuUsec), readBytes, threads: 6 },
      psi: { cpuSomeUsec: whole(psiUsec), memorySomeUsec: 0, memoryFullUsec: 0, ioSomeUsec: 0, ioFullUsec: 0 },
      host: { stealUsec: 0, idleUsec: 0, busyUsec: whole(cpuUsec), contextSwitches: whole(switches * 3) },
      serverSockets: waiting,
      requestsProcessing: Math.min(SLOTS, waiting),
      ...(samples.length % 4 === 0 ? { requestsDeferred: Math.max(0, waiting - SLOTS) } : {}),
      samplerCpuUsec: samples.length * 3_000
    })
  }
  return samples
}

/** The two blocks of a pair get the same arrivals (`traceSeed`) and different service times (`random`). */
export function simulateBlock (block: BlockPlan, plan: OpenLoopPlan, random: Random): Block {
  const { capacitySeconds, rampSeconds, windowSeconds, drainSeconds } = plan.workload
  const capacityFromMs = block.index * 60_000
  const capacityToMs = capacityFromMs + capacitySeconds * 1000
  const loadFromMs = capacityToMs + 1000
  const judgedToMs = loadFromMs + (rampSeconds + windowSeconds) * 1000
  const drainedAtMs = judgedToMs + drainSeconds * 1000
  const timeline = load(block.condition, plan, loadFromMs, drainedAtMs, seededRandom(block.traceSeed), random)
  return {
    evidence: {
      plan: block,
      closedLoops: [{ fromMs: capacityFromMs, toMs: capacityToMs }],
      loadFromMs,
      judgedFromMs: loadFromMs + rampSeconds * 1000,
      judgedToMs,
      drainedAtMs,
      startedAt: '2026-01-02T03:04:05.000Z',
      serverCommandLine: ['llama-server', '-m', '/home/user/.cache/weir/models/smol-135m-Q8_0.gguf', '-np', '2', '-t', '1', '--api-key', '***'],
      placement: { serverCpus: [0], clientCpus: [1], note: 'server and client on CPUs of their own' },
      readBack: { 'llama-server affinity': '0', 'gateway policies': block.condition === 'before' ? 'none' : 'admission' },
      generatorEventLoopDelayMaxMs: 4.2,
      warnings: []
    },
    calls: [...capacity(capacityFromMs, capacityToMs, random), ...timeline.calls],
    samples: samplesOf(timeline, block.condition, capacityFromMs, drainedAtMs, random),
    records: timeline.records
  }
}
