/**
 * The harness in nouns: Experiment → Plan (runs in order) → Evidence (files) → Result (findings) → report.
 * All times named `*Ms` in evidence are monotonic milliseconds of CLOCK_MONOTONIC (`process.hrtime`), one clock for
 * load generator, sampler and gateway record on one machine.
 */

export type Arm = 'before' | 'after'
export type PresetName = 'smoke' | 'laptop' | 'overnight'

/** A class of calls: one prompt shape and output length, with its share of the arrivals. */
export interface WorkloadClass {
  readonly name: string
  /** Words in the prompt (about one token each with the synthetic tokenizer; the count of the server is in the evidence). */
  readonly promptWords: number
  readonly maxTokens: number
  /** Share of arrivals, sums to 1 over the classes. */
  readonly share: number
}

export interface Workload {
  readonly classes: readonly WorkloadClass[]
  /** Requests per second offered in the open loop. */
  readonly ratePerSecond: number
  /** Ramp at the start of the load, seconds: calls intended in it are sent but not judged. */
  readonly rampSeconds: number
  /** Judged window after the ramp, seconds. */
  readonly windowSeconds: number
  /** After the last intended send a call may still be answered for this long, seconds; then it is `unanswered` (right-censored). */
  readonly drainSeconds: number
  /** Length of the closed loop at full slots before the load, seconds; `closedLoopClients` clients, direct to llama-server. */
  readonly capacitySeconds: number
  readonly closedLoopClients: number
  /** A call is good when answered completely with TTFT (from the intended time) at or under its class's limit. */
  readonly ttftLimitMs: Readonly<Record<string, number>>
}

export interface BlockPlan {
  /** 1-based, in run order. */
  readonly index: number
  /** 1-based; the two blocks of a pair share trace seed. */
  readonly pair: number
  readonly arm: Arm
  readonly traceSeed: number
}

/** plan.json: written before the first block; its sha256 is in result.json. */
export interface Plan {
  readonly schemaVersion: 1
  readonly experiment: string
  readonly question: string
  readonly preset: PresetName
  readonly seed: number
  readonly conditions: readonly Condition[]
  readonly workload: Workload
  /** From the calibration. */
  readonly calibration: { readonly unloadedTtftMs: number, readonly capacityPerSecond: number, readonly answers: number }
  readonly blocks: readonly BlockPlan[]
  readonly outcomes: readonly OutcomeSpec[]
  readonly predictions: readonly Prediction[]
  /** Two-sided level of the primary outcome. */
  readonly alpha: number
  /** Expected judged calls per arm: offered, and answered when the server is saturated; the percentiles that these cannot support. */
  readonly expected: { readonly offeredPerArm: number, readonly answeredPerArm: number, readonly unsupported: readonly string[], readonly verdict: boolean }
  readonly createdAt: string
}

export interface Condition {
  readonly id: Arm
  readonly title: string
  /** Policies that are on in this condition, outermost first. */
  readonly policies: readonly string[]
}

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

/** One line of calls.ndjson. */
export interface CallSample {
  /** `capacity`: closed loop, direct · `load`: open loop through the gateway · `unloaded`: one at a time, calibration. */
  readonly phase: 'capacity' | 'load' | 'unloaded'
  readonly seq: number
  readonly cls: string
  readonly intendedMs: number
  readonly sentMs: number
  readonly headersMs?: number
  /** First non-empty content chunk. */
  readonly firstMs?: number
  /** Last content chunk. */
  readonly lastMs?: number
  /** End of the answer, of the refusal, or of the patience. */
  readonly doneMs: number
  readonly status?: number
  readonly outcome: 'answered' | 'refused' | 'failed' | 'unanswered'
  /** X-Weir-Reason, error code, or why it failed. */
  readonly reason?: string
  readonly retryAfterSeconds?: number
  /** Content chunks received (llama-server sends one per token). */
  readonly chunks: number
  /** Gaps between content chunks, milliseconds, 2 decimals. */
  readonly itlMs: readonly number[]
  readonly promptTokens?: number
  readonly outputTokens?: number
  /** `timings.prompt_ms` / `timings.predicted_ms` of llama-server: the second source. */
  readonly promptMs?: number
  readonly predictedMs?: number
  /** The gateway's record id (`X-Weir-Id`), to join with its log. */
  readonly weirId?: string
}

/** One line of samples.ndjson; counters are raw (cumulative), deltas are taken in analysis. Absent = this machine has no such source. */
export interface OsSample {
  readonly atMs: number
  /** llama-server, summed over all threads where the kernel counts per thread. */
  readonly process?: {
    readonly rssBytes: number
    readonly pssBytes?: number
    readonly minorFaults: number
    readonly majorFaults: number
    readonly voluntarySwitches: number
    readonly involuntarySwitches: number
    readonly runQueueWaitNs?: number
    readonly cpuUsec: number
    readonly readBytes?: number
    readonly threads: number
  }
  /** /proc/pressure `total`, microseconds. */
  readonly psi?: Readonly<Record<'cpuSomeUsec' | 'memorySomeUsec' | 'memoryFullUsec' | 'ioSomeUsec' | 'ioFullUsec', number>>
  /** /proc/stat, clock ticks converted to microseconds, whole machine. */
  readonly host?: { readonly stealUsec: number, readonly idleUsec: number, readonly busyUsec: number, readonly contextSwitches: number }
  /** All whole disks together. */
  readonly disk?: { readonly readBytes: number, readonly writtenBytes: number, readonly ioMs: number }
  /** cgroup v2 files of llama-server's group, flattened: `cpu.stat.nr_throttled`, `memory.stat.workingset_refault_file`, … */
  readonly cgroup?: Readonly<Record<string, number>>
  /** Established TCP connections to llama-server's port, by `ss` (another tool than /proc). */
  readonly serverSockets?: number
  /** llama-server's gauges when polled at ≤ 0.5 Hz. */
  readonly requestsProcessing?: number
  readonly requestsDeferred?: number
  /** CPU time of the sampler itself, microseconds. */
  readonly samplerCpuUsec: number
}

/** block.json. */
export interface BlockEvidence {
  readonly plan: BlockPlan
  /** Monotonic stamps. */
  readonly capacityFromMs: number
  readonly capacityToMs: number
  readonly loadFromMs: number
  /** loadFromMs + ramp. */
  readonly judgedFromMs: number
  readonly judgedToMs: number
  readonly drainedAtMs: number
  readonly startedAt: string
  readonly serverCommandLine: readonly string[]
  readonly placement: Placement
  /** State that was read back before the block counted: affinity of llama-server, policies of the gateway, … */
  readonly readBack: Readonly<Record<string, string>>
  readonly generatorEventLoopDelayMaxMs: number
  readonly warnings: readonly string[]
}

export interface Placement {
  readonly serverCpus: readonly number[]
  readonly clientCpus: readonly number[]
  readonly note: string
}

/** A block with its raw lines, as read back from the files. */
export interface Block {
  readonly evidence: BlockEvidence
  readonly calls: readonly CallSample[]
  readonly samples: readonly OsSample[]
  /** Gateway records (`CallRecord` lines) of this block. */
  readonly records: readonly import('../policies/contract.js').CallRecord[]
}

/** What analyse() gets: a plan and blocks, in any order. Pure. */
export interface Evidence {
  readonly plan: Plan
  readonly planSha256: string
  readonly manifest: Manifest
  readonly blocks: readonly Block[]
}

export interface Manifest {
  readonly weirVersion: string
  readonly node: string
  readonly kernel: string
  readonly cpuModel: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly virtualisation: string
  readonly cgroup: 'v2' | 'v1' | 'none'
  readonly model: import('../models/types.js').ModelFile
  readonly server: { readonly version: string, readonly from: string, readonly slots: number, readonly threads: number, readonly batchTokens: number, readonly slotContextTokens: number }
  readonly placement: Placement
  /** What the preflight found missing, and what is lost by it. */
  readonly missing: readonly string[]
}

export type Population = 'offered' | 'answered' | 'refused' | 'block'
export type ContrastVerdict = 'better' | 'worse' | 'equivalent' | 'cannot say'

export interface Cell {
  readonly condition: Arm
  readonly metric: string
  readonly unit: string
  readonly population: Population
  readonly n: number
  /** n reduced for autocorrelation; floors apply to it. */
  readonly nEff: number
  /** null below the floor; the string `> limit` form is made by the renderer from `censoredAbove`. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
  readonly mean: number | null
  /** Percentiles that fall into right-censored samples: the true value is above this. */
  readonly censoredAbove?: Partial<Record<'p50' | 'p95' | 'p99', number>>
  /** Block-bootstrap 95 % interval by percentile. */
  readonly ci95?: Partial<Record<'p50' | 'p95' | 'p99', readonly [number, number]>>
}

export interface Contrast {
  /** E.g. `good-per-second`, `good-per-capacity`. */
  readonly id: string
  readonly a: string
  readonly b: string
  readonly metric: string
  readonly population: Population
  readonly primary: boolean
  /** b ÷ a. */
  readonly ratio: number | null
  readonly ci95: readonly [number, number] | null
  readonly p: number | null
  /** Holm-adjusted among the secondary outcomes. */
  readonly pAdjusted?: number | null
  readonly n: number
  readonly verdict: ContrastVerdict
  readonly because: string
}

export interface Leg {
  readonly status: 'holds' | 'fails' | 'missing'
  readonly statement: string
  readonly source: string
  readonly value: number | null
  readonly band: readonly [number, number] | null
}

export interface Claim {
  readonly id: string
  readonly statement: string
  readonly predicted: string
  readonly status: 'SUPPORTED' | 'UNSUPPORTED'
  readonly application: Leg
  readonly os: Leg
  readonly control: Leg
  readonly mechanism: Leg
  /** The mechanism in words, for the report. */
  readonly explanation: string
}

/** result.json. */
export interface Result {
  readonly schemaVersion: 1
  readonly experiment: string
  readonly question: string
  readonly preset: PresetName
  readonly planSha256: string
  readonly complete: boolean
  readonly manifest: Manifest
  readonly conditions: readonly Condition[]
  readonly outcomes: readonly OutcomeSpec[]
  readonly workload: Workload
  readonly cells: readonly Cell[]
  readonly contrasts: readonly Contrast[]
  readonly claims: readonly Claim[]
  /** Errors and refusals by kind and arm. */
  readonly counts: readonly { readonly condition: Arm, readonly outcome: string, readonly reason: string, readonly n: number }[]
  /** One row per block: the numbers the contrasts were made of. */
  readonly blocks: readonly BlockSummary[]
  readonly warnings: readonly string[]
}

export interface BlockSummary {
  readonly index: number
  readonly pair: number
  readonly arm: Arm
  readonly capacityPerSecond: number
  readonly offeredPerSecond: number
  readonly answeredPerSecond: number
  readonly goodPerSecond: number
  readonly goodPerCapacity: number
  readonly ttftAnsweredP50Ms: number | null
  readonly ttftAnsweredP95Ms: number | null
  readonly tokensPerSecond: number
  readonly serverCpuUsecPerToken: number | null
  readonly dispatchDelayP95Ms: number
  readonly samplerCpuShare: number
  readonly valid: boolean
  readonly because?: string
}
