import type { Block, Evidence, OsSample, StreamsPlan } from '../types.js'
import { claimEntry } from './claims/index.js'
import { simulateStreams, type SimulatedCondition, type StreamsSimulation } from './testing-streams.js'

/** A condition of `simulateStreams`, and what its llama-server got of the CPUs. For tests only. */
export interface ContendedCondition extends SimulatedCondition {
  /** CPU time ÷ wall time. */
  readonly cpusUsed: number
  /** Share of its time in run queues. */
  readonly queueShare: number
  readonly preemptionsPerSecond?: number
  readonly migrationsPerSecond?: number
  /** CPUs that others use. */
  readonly cpusOfOthers?: number
  readonly majorFaultsPerSecond?: number
  readonly minorFaultsPerSecond?: number
  readonly stealShare?: number
  readonly throttledPeriods?: number
  readonly knobs?: readonly string[]
  readonly readBack?: Readonly<Record<string, string>>
}

export interface ContentionSimulation extends Partial<Omit<StreamsSimulation, 'conditions' | 'without'>> {
  readonly conditions: readonly ContendedCondition[]
  readonly claim: string
  readonly quiet?: boolean
  /** A source that this machine does not have; `queue`: nothing that tells of run queues. */
  readonly without?: 'queue' | 'pidstat' | 'perf' | 'host' | 'process'
  readonly calibration?: StreamsPlan['calibration']
}

/** Evidence of a fight for CPUs with known outcome, its predictions made as before a run. */
export function simulateContention ({ conditions, claim, quiet = false, without, calibration, ...rest }: ContentionSimulation): Evidence & { readonly plan: StreamsPlan } {
  const evidence = simulateStreams({ ...rest, conditions, claims: [claim] })
  const plan: StreamsPlan = {
    ...evidence.plan,
    quiet,
    ...(calibration === undefined ? {} : { calibration }),
    conditions: evidence.plan.conditions.map(condition => ({ ...condition, knobs: conditions.find(({ id }) => id === condition.id)?.knobs ?? [] }))
  }
  const predictions = claimEntry(claim).predictions(plan, evidence.manifest)
  return { ...evidence, plan: { ...plan, predictions }, blocks: evidence.blocks.map(block => contended(block, conditions, without)) }
}

function contended (block: Block, conditions: readonly ContendedCondition[], without: ContentionSimulation['without']): Block {
  const condition = conditions.find(({ id }) => id === block.evidence.plan.condition)
  if (condition === undefined) throw new Error(`no condition ${block.evidence.plan.condition}`)
  const { judgedFromMs: fromMs, judgedToMs: toMs } = block.evidence
  const { throttledPeriods = 0 } = condition
  const ranUsec = condition.cpusUsed * (toMs - fromMs) * 1000
  const waitUsec = waited(condition, ranUsec)
  // One of two compute threads sleeps now and then, and stands in a queue for longer.
  const compute = condition.threads === 2 ? [{ cpuUsec: 0.7 * ranUsec, waitUsec: 0.3 * waitUsec }, { cpuUsec: 0.3 * ranUsec, waitUsec: 0.7 * waitUsec }] : [{ cpuUsec: ranUsec, waitUsec }]
  const { perf, pidstat } = {
    pidstat: { fromMs, toMs, cpuUsec: ranUsec, waitUsec, threads: [...compute, { cpuUsec: ranUsec / 50, waitUsec: ranUsec }], voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 },
    perf: { fromMs, toMs, contextSwitches: 0, cpuMigrations: (condition.migrationsPerSecond ?? 0) * (toMs - fromMs) / 1000, minorFaults: 0, majorFaults: 0, cpuUsec: ranUsec }
  }
  return {
    ...block,
    evidence: {
      ...block.evidence,
      readBack: condition.readBack ?? {},
      groupCountersAtStart: { 'cpu.stat.nr_throttled': 0 },
      groupCountersAtEnd: { 'cpu.stat.nr_throttled': throttledPeriods }
    },
    tools: { ...(without === 'pidstat' || without === 'queue' ? {} : { pidstat }), ...(without === 'perf' ? {} : { perf }) },
    samples: Array.from({ length: 11 }, (_, i) => sampleAt(condition, fromMs, (toMs - fromMs) * i / 10, without))
  }
}

function sampleAt (condition: ContendedCondition, fromMs: number, sinceMs: number, without: ContentionSimulation['without']): OsSample {
  const { cpusUsed, cpusOfOthers = 0.1, stealShare = 0, preemptionsPerSecond = 0, majorFaultsPerSecond = 0, minorFaultsPerSecond = 0 } = condition
  const cpuUsec = cpusUsed * sinceMs * 1000
  const allUsec = 2 * sinceMs * 1000
  const busyUsec = cpuUsec + cpusOfOthers * sinceMs * 1000
  return {
    atMs: fromMs + sinceMs,
    ...(without === 'process'
      ? {}
      : {
          process: {
            rssBytes: 1e8,
            minorFaults: minorFaultsPerSecond * sinceMs / 1000,
            majorFaults: majorFaultsPerSecond * sinceMs / 1000,
            voluntarySwitches: 0,
            involuntarySwitches: preemptionsPerSecond * sinceMs / 1000,
            ...(without === 'queue' ? {} : { runQueueWaitNs: 1000 * waited(condition, cpuUsec) }),
            cpuUsec,
            threads: 3
          }
        }),
    ...(without === 'host' ? {} : { host: { stealUsec: stealShare * allUsec, busyUsec, idleUsec: (1 - stealShare) * allUsec - busyUsec, contextSwitches: 0 } }),
    samplerCpuUsec: 0
  }
}

function waited ({ queueShare }: ContendedCondition, ranUsec: number): number {
  return ranUsec * queueShare / (1 - queueShare)
}
