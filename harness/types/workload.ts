/** What is sent: the load of a plan. */

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
  /** Its calls ask for the embedding of their prompt; `maxTokens` is 1 then, the one part of the answer. llama-server is started with `--embeddings` where a class says so. */
  readonly embedding?: true
}

/** Prompts that are asked again: the k-th of `pool` with a weight of k^-`zipf` (0: all alike). Each trace has a pool of its own. */
export interface PromptPool {
  readonly pool: number
  readonly zipf: number
}

/** So many calls at each arrival, 4 ms apart: all with one prompt, or each with its own. `ratePerSecond` counts arrivals. Before such a load some calls with prompts of their own go through the gateway, one at a time. */
export interface Together {
  readonly calls: number
  readonly prompt: 'one' | 'each'
}

/** So many of a class's calls are given up by their clients this long after their response headers came: llama-server sends those when a slot begins with the call. */
export interface Leaving {
  readonly share: number
  readonly afterMs: number
  /** Counted from when the call was sent instead: a prompt that is fed in pieces has its headers with its last one. */
  readonly from?: 'sent'
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

/** Poisson arrivals through the gateway, or clients that ask again; a closed loop straight to llama-server, before it or around it, tells the block's own capacity. */
export interface OpenLoopWorkload {
  readonly kind: 'open-loop'
  readonly classes: readonly WorkloadClass[]
  /** Requests per second offered in the open loop; of no account where there are conversations or workers. */
  readonly ratePerSecond: number
  readonly burst?: Burst
  /** The load is these; nothing arrives beside them. */
  readonly conversations?: Conversations
  /** The load is so many clients, each of which asks again as soon as it was answered (closed loop); nothing arrives beside them. */
  readonly workers?: number
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
  /** One such loop is before the load; with this another follows the load where llama-server is idle within a third of the window, 3 s at least, and their mean is the block's capacity: a host that drifts is caught at both ends. */
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
