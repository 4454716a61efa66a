/** What is to be done, named before the first block. */

export type PresetName = 'smoke' | 'laptop' | 'overnight'

/** Lognormal, of what lies in [from, to]; drawn for each call from its seed and rounded. `sigma` is of the logarithm. */
export interface DrawnLength {
  readonly median: number
  readonly sigma: number
  readonly from: number
  readonly to: number
}

/** A class of calls: one prompt shape and output length, with its share of the arrivals. */
export interface WorkloadClass {
  readonly name: string
  /** Words in the prompt (about one token each with the synthetic tokenizer; the count of the server is in the evidence). */
  readonly promptWords: number | DrawnLength
  readonly maxTokens: number | DrawnLength
  /** Share of arrivals, sums to 1 over the classes; 0: only in a burst. */
  readonly share: number
  /** Whose API key its calls carry; absent: none. */
  readonly caller?: string
  /** Sent with its calls under load. */
  readonly headers?: Readonly<Record<string, string>>
  readonly leave?: Leaving
  /** True: its calls are what the policy is about. They are in no closed loop and no calibration, their limit is the longest of the others', and `--no-setting` leaves them out. */
  readonly interference?: boolean
  /** Absent: each call has a prompt of its own. */
  readonly prompts?: PromptPool
  readonly together?: Together
  /** Under load its calls let llama-server reuse what a slot holds (its own default); absent: `cache_prompt: false`. */
  readonly cachePrompt?: true
}

/** Prompts that are asked again: the k-th of `pool` with a weight of k^-`zipf` (0: all alike). Each trace has a pool of its own. */
export interface PromptPool {
  readonly pool: number
  readonly zipf: number
}

/** So many calls at each arrival, 4 ms apart: all with one prompt, or each with its own. `ratePerSecond` counts arrivals. */
export interface Together {
  readonly calls: number
  readonly prompt: 'one' | 'each'
}

/** So many of a class's calls are given up by their clients this long after their response headers came: llama-server sends those when a slot begins with the call. */
export interface Leaving {
  readonly share: number
  readonly afterMs: number
}

/** What a caller's API key grants, as the gateway's configuration has it. */
export interface Grant {
  readonly weight?: number
  readonly bestPriority?: number
  readonly usualPriority?: number
  readonly maxPlaces?: number
}

/** Arrivals beside those of `ratePerSecond`, Poisson as they are. */
export interface Burst {
  readonly ratePerSecond: number
  /** After the start of the load (of its ramp), seconds. */
  readonly fromSeconds: number
  readonly seconds: number
  /** Shares of the classes in it. */
  readonly shares: Readonly<Record<string, number>>
}

/** Clients that talk, each with its whole history in every call, instead of arrivals: the next turn comes when the answer was read and thought about. */
export interface Conversations {
  /** At a time; who has had its turns begins another one. */
  readonly count: number
  readonly turns: number
  /** Of instructions that all have in common; 0: none. */
  readonly systemWords: number
  readonly firstWords: number
  readonly turnWords: number
  readonly answerTokens: number
  /** Between an answer and the next turn, on average, seconds. */
  readonly thinkSeconds: number
  /** Shorter or longer by up to this share of it, at random. */
  readonly thinkSpread: number
  /** False: each turn is a prompt of its own, as long as the history would be. */
  readonly related: boolean
}

/** What a client does after a refusal. */
export interface Retry {
  /** `told`: it comes back when `Retry-After` says (never, without one); a number: after so many seconds, whatever it says. */
  readonly wait: 'told' | number
  /** Most tries, the first included. */
  readonly tries: number
  /** A try that would be later than this after the call's intended time is not made, seconds. */
  readonly patienceSeconds: number
}

/** Poisson arrivals through the gateway; a closed loop straight to llama-server, before it or around it, tells the block's own capacity. */
export interface OpenLoopWorkload {
  readonly kind: 'open-loop'
  readonly classes: readonly WorkloadClass[]
  /** Requests per second offered in the open loop. */
  readonly ratePerSecond: number
  readonly burst?: Burst
  /** The load is these; nothing arrives beside them. */
  readonly conversations?: Conversations
  /** By caller; those that are not named have a key with the usual grant. */
  readonly grants?: Readonly<Record<string, Grant>>
  /** Ramp at the start of the load, seconds: calls intended in it are sent but not judged. */
  readonly rampSeconds: number
  /** Judged window after the ramp, seconds. */
  readonly windowSeconds: number
  /** After the last intended send a call may still be answered for this long, seconds; then it is `unanswered` (right-censored). */
  readonly drainSeconds: number
  /** Calls that each client of a closed loop makes at least, the cold first one included. Absent in runs whose loops were as long as `capacitySeconds` says. */
  readonly capacityCalls?: number
  /** How long a closed loop at full slots lasts at least, seconds; `closedLoopClients` clients, direct to llama-server. */
  readonly capacitySeconds: number
  /** One such loop is before the load; with this another follows it, and their mean is the block's capacity: a host that drifts is caught at both ends. */
  readonly capacityAgain?: boolean
  readonly closedLoopClients: number
  /** A call is good when answered completely with TTFT (from the intended time) at or under its class's limit. */
  readonly ttftLimitMs: Readonly<Record<string, number>>
}

/** Closed loop straight to llama-server's `/completion`, every chunk stamped: the spectrum of the gaps between tokens is the evidence. */
export interface StreamsWorkload {
  readonly kind: 'streams'
  /** Clients at the same time. */
  readonly clients: number
  /** Calls that each client makes, one after the other. */
  readonly calls: number
  /**
   * Clients go on making calls until the load has lasted this long, seconds: where conditions differ a hundredfold in speed, the slow ones need
   * few calls and the fast ones a window that counters can be read in. Absent: no more than `calls`.
   */
  readonly atLeastSeconds?: number
  /** `-np` of llama-server; absent: the most clients of any condition, so that conditions with fewer run on the same server. */
  readonly slots?: number
  /** Words of the one prompt that all calls share. */
  readonly promptWords: number
  /** `cache_prompt`: what a slot still holds of the prompt is not computed again; absent: false, nothing is reused. */
  readonly cachePrompt?: boolean
  /** `n_predict` with `ignore_eos`: tokens out of each call. */
  readonly predictTokens: number
  /** Calls before the load, one at a time; in the evidence as `warm-up`, judged by nothing. 0 for cold starts. */
  readonly warmupCalls: number
  /** A client waits this long after an answer before its next call, seconds; absent: not at all. */
  readonly pauseSeconds?: number
  /** A call that has not ended after this long is `unanswered`, seconds. */
  readonly patienceSeconds: number
}

/** What a condition changes of the run's streams. */
export type StreamsOverrides = Partial<Omit<StreamsWorkload, 'kind'>>

export type Workload = OpenLoopWorkload | StreamsWorkload

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

export interface OpenLoopCalibration {
  readonly unloadedTtftMs: number
  readonly capacityPerSecond: number
  readonly answers: number
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
