/** Evidence of llama-server under memory limits, by a plain model of what reclaim does to mapped and to anonymous weights. For tests only. */
import { comparisonOf } from '../plan/comparison.js'
import { parseKnobs } from '../knobs/index.js'
import { experimentFiles, isSweep } from '../plan/experiment-file.js'
import { nextLimit, probeOf, type Probe } from '../plan/limit-search.js'
import { presets } from '../plan/presets.js'
import { withPredictions } from '../plan/plan.js'
import { streamsDraft } from '../plan/streams-plan.js'
import { conditionsOfSweep, streamsOf } from '../plan/sweep.js'
import type { Block, BlockPlan, CalibratedServer, CallSample, Condition, Evidence, LimitSearch, Manifest, OsSample, StreamsPlan } from '../types.js'
import { simulatedManifest } from './testing-manifest.js'

const mebi = 1024 ** 2
const page = 4096

export interface MemorySimulation {
  /** False: limits are set, but the pages belong to somebody else, so that they have no effect. */
  readonly limits: boolean
  /** False: the mitigation is on and does nothing. */
  readonly cures: boolean
  readonly quiet: boolean
  /** Changes the evidence of each block. */
  readonly change: (block: Block, condition: Condition) => Block
  readonly calibration: (server: CalibratedServer) => CalibratedServer
}

const defaults: MemorySimulation = { limits: true, cures: true, quiet: false, change: block => block, calibration: server => server }

const sizes = { small: { anon: 17 * mebi, kernel: 3 * mebi, model: 46 * mebi }, tiny: { anon: 15 * mebi, kernel: 2 * mebi, model: 1 * mebi } } as const

export const memoryManifest: Manifest = {
  ...simulatedManifest,
  virtualisation: 'vm: tcg',
  model: { ...simulatedManifest.model, name: 'small', path: 'small.gguf', bytes: sizes.small.model }
}

function calibrated (name: keyof typeof sizes): CalibratedServer {
  const { anon, kernel, model } = sizes[name]
  return { model: name, threads: 1, tokensPerSecond: 5, ttftMs: 400, gapMs: 200, cpusUsed: 1, touched: { modelBytes: model, otherFilesBytes: 4 * mebi }, groupCounters: { 'memory.stat.anon': anon, 'memory.stat.kernel': kernel, 'memory.stat.file': model, 'memory.current': anon + kernel + model } }
}

/** The experiment of this name from bench/experiments, as it would run: a sweep in its laptop preset, or a comparison of 8 pairs. */
export function simulateMemory (name: string, options: Partial<MemorySimulation> = {}): Evidence & { readonly plan: StreamsPlan } {
  const all = { ...defaults, ...options }
  const plan = planOf(name, all)
  const probes: Probe[] = []
  const blocks = plan.blocks.map(block => {
    const condition = plan.conditions.find(({ id }) => id === block.condition)
    if (condition === undefined) throw new Error(`no condition ${block.condition}`)
    const limit = condition.probe === undefined || plan.search === undefined ? limitOf(condition) : nextLimit(plan.search, probes)
    const made = all.change(blockOf(plan, block, condition, limit, all), condition)
    const probe = probeIn(plan.search, condition, made)
    if (probe !== undefined) probes.push(probe)
    return made
  })
  return { plan, planSha256: '0'.repeat(64), manifest: memoryManifest, blocks }
}

function probeIn (search: LimitSearch | undefined, { probe }: Condition, { evidence }: Block): Probe | undefined {
  return search === undefined || probe === undefined ? undefined : probeOf(search, evidence)
}

function planOf (name: string, { quiet, calibration }: MemorySimulation): StreamsPlan {
  const file = experimentFiles().find(each => each.name === name)
  if (file?.workload === undefined) throw new Error(`no experiment with streams: ${name}`)
  const common = { experiment: name, question: file.question, preset: presets.laptop, seed: 1, effects: [], claims: [file.claim ?? ''], createdAt: '2026-01-01T00:00:00.000Z', model: 'small', workload: streamsOf(file.workload) }
  const servers = { servers: [calibration(calibrated('small')), calibration(calibrated('tiny'))] }
  const draft = isSweep(file)
    ? streamsDraft({ ...common, design: 'sweep', conditions: conditionsOfSweep(file, parseKnobs), quiet: false, repeats: file.repeats?.laptop ?? 3, primary: 'itl-p99', calibration: servers, ...(file.search === undefined ? {} : { search: file.search }) })
    : streamsDraft({ ...common, design: 'pairs', conditions: comparisonOf([file], { quiet, knobsFor: parseKnobs }).conditions, quiet, repeats: 8, primary: file.primary ?? 'itl-p99', calibration: servers })
  return withPredictions(draft, memoryManifest)
}

function limitOf ({ knobs }: Condition): number | undefined {
  const mib = knobs.flatMap(knob => /^memory-max=(\d+)M$/.exec(knob)?.[1] ?? [])[0]
  return mib === undefined ? undefined : Number(mib) * mebi
}

interface Outcome {
  readonly refaulted: number
  readonly swappedIn: number
  readonly slowness: number
  /** Share of the load that was done before the kill. */
  readonly killedAfter?: number
  readonly startReads: number
}

const undisturbed: Outcome = { refaulted: 0, swappedIn: 0, slowness: 1, startReads: 0 }

function outcomeOf (plan: StreamsPlan, condition: Condition, limit: number | undefined, { limits, cures }: MemorySimulation): Outcome {
  const has = (knob: string): boolean => condition.knobs.some(each => each.split('=')[0] === knob)
  const { anon, kernel, model } = sizes[condition.model === 'tiny' ? 'tiny' : 'small']
  const tokens = plan.workload.calls * plan.workload.predictTokens
  if (!limits) return undisturbed
  if (has('memory-drop')) return { ...undisturbed, killedAfter: 0.3 }
  const hogged = has('page-cache-hog')
  const cured = cures && (has('mlock') || has('no-swap') || condition.knobs.some(knob => /^memory-low=[1-9]/.test(knob)))
  if (hogged) return cured ? undisturbed : has('no-mmap') ? { ...undisturbed, swappedIn: 20 * mebi, slowness: 2 } : { ...undisturbed, refaulted: 0.8 * tokens * model, slowness: 2 }
  if (has('io-max')) return cures && has('preload') ? undisturbed : { ...undisturbed, startReads: model }
  if (limit === undefined || limit >= anon + kernel + model) return undisturbed
  return has('no-mmap') || has('mlock') ? { ...undisturbed, killedAfter: 0 } : { ...undisturbed, refaulted: 0.85 * tokens * model, slowness: 2.5 }
}

function blockOf (plan: StreamsPlan, block: BlockPlan, condition: Condition, limit: number | undefined, all: MemorySimulation): Block {
  const outcome = outcomeOf(plan, condition, limit, all)
  const { predictTokens, calls, warmupCalls } = plan.workload
  const { anon, kernel, model } = sizes[condition.model === 'tiny' ? 'tiny' : 'small']
  const anonymous = condition.knobs.includes('no-mmap')
  const fromMs = block.index * 1e6
  const gapMs = 200 * outcome.slowness * (1 + 0.01 * (block.index % 3))
  const killed = outcome.killedAfter
  const load = killed === 0 ? [] : Array.from({ length: calls }, (_, seq) => callOf(seq, fromMs + seq * (predictTokens + 2) * gapMs, gapMs, killed === undefined ? predictTokens : seq === 0 ? 3 : 0, killed === undefined))
  const warm = warmupCalls === 0 || killed === 0 ? [] : [{ ...callOf(0, fromMs - 5000, gapMs, predictTokens, true), phase: 'warm-up' as const }]
  const toMs = load.at(-1)?.doneMs ?? fromMs
  const refaults = Math.round(outcome.refaulted / page)
  const pressed = outcome.refaulted > 0 || condition.knobs.some(knob => knob.startsWith('page-cache-hog'))
  const start = { 'memory.stat.workingset_refault_file': 7, 'memory.stat.workingset_refault_anon': 0, 'memory.stat.pgmajfault': 3, 'memory.events.max': 2, 'memory.stat.file_mapped': outcome.refaulted > 0 ? 0.2 * model : model, 'memory.events.low': 0, 'memory.events.oom_kill': 0, 'memory.pressure.full_usec': 0, 'cpu.stat.nr_throttled': 0, 'memory.swap.current': 0 }
  const end = {
    ...start,
    ...(limit === undefined ? {} : { 'memory.max': limit }),
    'memory.stat.anon': anon + (anonymous ? model : 0),
    'memory.stat.kernel': kernel,
    'memory.stat.workingset_refault_file': 7 + refaults,
    'memory.stat.workingset_refault_anon': Math.round(outcome.swappedIn / page),
    'memory.stat.pgmajfault': 3 + Math.round(refaults / 600),
    'memory.events.max': 2 + (pressed ? 500 : 0),
    'memory.pressure.full_usec': outcome.refaulted > 0 ? (toMs - fromMs) * 200 : 0,
    'memory.events.oom_kill': killed === undefined ? 0 : 1,
    'memory.swap.current': outcome.swappedIn
  }
  return {
    evidence: {
      plan: block,
      loadFromMs: fromMs,
      judgedFromMs: fromMs,
      judgedToMs: toMs,
      drainedAtMs: toMs,
      startedAt: '2026-01-01T00:00:00.000Z',
      serverCommandLine: ['llama-server'],
      serverStart: { launchedMs: fromMs - 9000 - outcome.startReads / (16 * mebi) * 1000, readyMs: fromMs - 6000 },
      placement: memoryManifest.placement,
      readBack: readBackOf(condition, killed),
      group: { version: 'v2', path: '/sys/fs/cgroup/weir-test' },
      ...(killed === 0 ? {} : { groupCountersAtStart: start }),
      groupCountersAtEnd: end,
      ...(killed === 0 ? {} : osOf(samplesOf(outcome, fromMs, toMs))),
      generatorEventLoopDelayMaxMs: 1,
      ...(killed === undefined ? {} : { serverEnd: { during: killed === 0 ? 'start' as const : 'load' as const, code: null, signal: 'SIGKILL', atMs: toMs, why: 'killed', kernelLog: 'oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/weir-test,task_memcg=/weir-test,task=llama-server,pid=5,uid=0' } }),
      warnings: []
    },
    calls: [...warm, ...load],
    samples: samplesOf(outcome, fromMs, toMs),
    records: []
  }
}

function readBackOf ({ knobs }: Condition, killed: number | undefined): Record<string, string> {
  if (killed === 0) return {}
  return {
    ...(knobs.includes('mlock') ? { 'locked memory (VmLck)': '46 MiB' } : {}),
    ...(knobs.some(knob => knob.startsWith('page-cache-hog')) ? { 'page-cache hog': 'process 5' } : {}),
    ...(knobs.includes('preload') ? { 'model file read ahead': '46 MiB of 46 MiB' } : {}),
    ...Object.fromEntries(knobs.flatMap(knob => { const low = /^memory-low=(\d+)/.exec(knob)?.[1]; return low === undefined ? [] : [['memory.low', low === '0' ? '0 bytes' : low]] }))
  }
}

function callOf (seq: number, atMs: number, gapMs: number, tokens: number, answered: boolean): CallSample {
  const firstMs = atMs + 2 * gapMs
  return {
    phase: 'load',
    seq,
    cls: 'stream',
    intendedMs: atMs,
    sentMs: atMs,
    ...(tokens === 0 ? {} : { firstMs, lastMs: firstMs + (tokens - 1) * gapMs }),
    doneMs: atMs + (tokens + 1) * gapMs + 1,
    ...(answered ? { outcome: 'answered', status: 200, outputTokens: tokens } : { outcome: 'failed', reason: tokens === 0 ? 'ECONNREFUSED' : 'cut: ECONNRESET' }),
    chunks: tokens,
    itlMs: Array.from({ length: Math.max(0, tokens - 1) }, () => gapMs)
  }
}

function osOf (samples: readonly OsSample[]): Pick<Block['evidence'], 'osAtStart' | 'osAtEnd'> {
  const [start = { atMs: 0, samplerCpuUsec: 0 }, end = start] = [samples[0], samples.at(-1)]
  return { osAtStart: start, osAtEnd: end }
}

function samplesOf ({ refaulted, swappedIn, startReads }: Outcome, fromMs: number, toMs: number): OsSample[] {
  const steps = 10
  return Array.from({ length: steps + 1 }, (_, i) => {
    const done = i / steps
    return {
      atMs: fromMs + done * (toMs - fromMs),
      process: { rssBytes: 1e8, minorFaults: 0, majorFaults: Math.round(refaulted * done / page / 600), voluntarySwitches: 0, involuntarySwitches: 0, cpuUsec: done * 1e6, readBytes: startReads + Math.round(0.98 * refaulted * done), threads: 1 },
      disk: { readBytes: startReads + Math.round((0.98 * refaulted + swappedIn) * done), writtenBytes: 0, ioMs: 0 },
      cgroup: { 'memory.stat.workingset_refault_file': Math.round(refaulted * done / page) },
      samplerCpuUsec: i * 100
    }
  })
}
