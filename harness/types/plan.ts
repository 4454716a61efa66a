/** What is to be done, named before the first block. */
import type { OpenLoopWorkload, Retry, StreamsOverrides, StreamsWorkload } from './workload.js'

export type PresetName = 'smoke' | 'laptop' | 'overnight'

export interface BlockPlan {
  /** 1-based, in run order. */
  readonly index: number
  /** 1-based: the repeat. All blocks of a pair share the trace seed. */
  readonly pair: number
  /** Id of its condition. */
  readonly condition: string
  readonly traceSeed: number
}

/** One state of the machine, the server and the gateway that blocks are run in. */
export interface Condition {
  /** `before` and `after` in a comparison; else letters, digits, `.`, `+`, `-` and `_`: it is part of a folder's name. */
  readonly id: string
  readonly title: string
  /** Policies that are on in this condition, outermost first. */
  readonly policies: readonly string[]
  /** Options of these policies beside those that the harness gives them, by policy. */
  readonly policyOptions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** True: a call under load says the limit of its class (`X-SLO-TTFT-Ms`). */
  readonly tellsLimit?: boolean
  /** Absent: a refused client does not come back. */
  readonly retry?: Retry
  /** System-level conditions as typed, in the order in which they are applied: `cpu-quota=500/1000`. */
  readonly knobs: readonly string[]
  /** Doses, for the axes of a dose-response: `quotaMs`, `periodMs`, `threads` … */
  readonly factors: Readonly<Record<string, number | string>>
  /** Of llama-server (`-t`); absent: the run's. */
  readonly threads?: number
  /** Catalogue name or file; absent: the run's. */
  readonly model?: string
  /** Of a sweep of streams; absent: the run's. */
  readonly workload?: StreamsOverrides
  /** Id of the condition that it is contrasted with; absent: it is nobody's treatment. */
  readonly baseline?: string
  /** 1-based: one step of the plan's search, whose limit follows from the steps before it. */
  readonly probe?: number
}

/** A binary search over `memory.max` for the cliff: the largest limit under which the load reads the model again and again. Named before its first step. */
export interface LimitSearch {
  /** The cliff is looked for between these, bytes. */
  readonly fromBytes: number
  readonly toBytes: number
  readonly probes: number
  /** A load that refaults more bytes than this, or whose server is killed, is below the cliff. */
  readonly refaultBytes: number
}

/**
 * `pairs`: before and after in ABBA order. `factorial`: none, a, b, a+b in balanced order within each repeat. `sweep`: all conditions in seeded
 * random order within each repeat.
 */
export type Design = 'pairs' | 'factorial' | 'sweep'

/** What a call takes on an idle server: `msPerCall` and its tokens, milliseconds. */
export interface ServiceTime {
  readonly msPerCall: number
  readonly msPerPromptToken: number
  readonly msPerOutputToken: number
}

export interface OpenLoopCalibration {
  readonly unloadedTtftMs: number
  readonly capacityPerSecond: number
  readonly answers: number
  /** Where lengths differ: then answers are counted by their work as well. Absent in runs before that. */
  readonly serviceTime?: ServiceTime
}

/** One llama-server without knobs, under the plan's own streams, without what conditions change of them. */
export interface CalibratedServer {
  readonly model: string
  readonly threads: number
  readonly tokensPerSecond: number
  /** Medians over its calls and their gaps. */
  readonly ttftMs: number
  readonly gapMs: number
  /** Tokens of the prompt that were computed, and llama-server's own time for them: medians. Absent in runs before they were kept, and from a server that does not tell. */
  readonly prompt?: { readonly tokens: number, readonly ms: number }
  /** CPU time of llama-server ÷ wall time: CPUs that it uses at once; null where there is no /proc. */
  readonly cpusUsed: number | null
  /** Of its control group when all was over, where one could be made: `memory.peak`, `memory.stat.anon`, … */
  readonly groupCounters?: Readonly<Record<string, number>>
  /** Pages that the load touched (`Referenced` of /proc/PID/smaps, cleared before it); only where conditions limit memory. */
  readonly touched?: { readonly modelBytes: number, readonly otherFilesBytes: number }
}

export interface StreamsCalibration {
  /** One for each model and thread count of the conditions. */
  readonly servers: readonly CalibratedServer[]
}

interface PlanOfAnyKind {
  readonly schemaVersion: 2
  readonly experiment: string
  readonly question: string
  readonly preset: PresetName
  readonly seed: number
  readonly design: Design
  readonly conditions: readonly Condition[]
  /** True: the experiment's interference was left out of all conditions (`--no-setting`). */
  readonly quiet: boolean
  readonly blocks: readonly BlockPlan[]
  readonly outcomes: readonly OutcomeSpec[]
  /** Entries of the claims registry that will judge this run. */
  readonly claims: readonly string[]
  readonly predictions: readonly Prediction[]
  /** Two-sided level of the primary outcome. */
  readonly alpha: number
  readonly expected: ExpectedSamples
  /** Which effects this plan can tell apart, and which it cannot, in sentences. */
  readonly effects: readonly string[]
  readonly createdAt: string
}

/** What the plan's length amounts to. */
export interface ExpectedSamples {
  /** Judged calls of each condition: offered, and answered when the server is saturated. */
  readonly offeredPerCondition: number
  readonly answeredPerCondition: number
  /** Figures that these cannot support, in words. */
  readonly unsupported: readonly string[]
  /** False: too few repeats; the run describes. */
  readonly verdict: boolean
}

export interface OpenLoopPlan extends PlanOfAnyKind {
  readonly workload: OpenLoopWorkload
  readonly calibration: OpenLoopCalibration
  readonly spare?: SparePairs
}

/**
 * A pair compares two policies only where both blocks met the same machine: else it is left out, and a spare one is run for it. What decides is measured straight at llama-server, where no policy
 * acts. Absent: a pair counts whatever it met (smoke, conditions that differ in knobs, more than two of them, runs before there were any).
 */
export interface SparePairs {
  /** CPU time per token in the closed loops of the pair's blocks, the larger ÷ the smaller: at most this. */
  readonly machineWithin: number
  /** In run order after the plan's blocks; run only as far as pairs are lacking. */
  readonly blocks: readonly BlockPlan[]
}

export interface StreamsPlan extends PlanOfAnyKind {
  readonly workload: StreamsWorkload
  readonly calibration: StreamsCalibration
  readonly search?: LimitSearch
}

/** plan.json: written before the first block; its sha256 is in result.json. */
export type Plan = OpenLoopPlan | StreamsPlan

export interface OutcomeSpec {
  readonly metric: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly primary: boolean
  /** Smallest ratio that matters: 1.1 means ±10 %. `equivalent` = interval inside [1/matters, matters]. */
  readonly matters: number
}

/** A numeric band named before the run. */
export interface Prediction {
  readonly id: string
  readonly metric: string
  readonly statement: string
  readonly lo: number
  readonly hi: number
}
