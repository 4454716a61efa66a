/** What was measured: files that nothing is taken out of or computed into. */
import type { ModelFile } from '../../models/types.js'
import type { CallRecord } from '../../policies/contract.js'
import type { BlockPlan, Plan } from './plan.js'
import type { BlockTools, ToolRun } from './tools.js'

/** One line of calls.ndjson. */
export interface CallSample {
  /** `capacity`: closed loop, direct · `load`: what is judged · `unloaded`: one at a time, calibration · `warm-up`: before streams. */
  readonly phase: 'capacity' | 'load' | 'unloaded' | 'warm-up'
  readonly seq: number
  readonly cls: string
  /** Of a class whose lengths are drawn. */
  readonly promptWords?: number
  readonly maxTokens?: number
  /** Of conversations: which one, and its turns before this one. */
  readonly conversation?: number
  readonly turn?: number
  /** Of the call, not of its last try. */
  readonly intendedMs: number
  /** Of the first try. All that follows is of the last one. */
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
  /** Gaps between content chunks, milliseconds, 2 decimals: chunk n came at `firstMs` + the sum of the first n. */
  readonly itlMs: readonly number[]
  readonly promptTokens?: number
  /** Of these, taken from a slot's cache and not computed (`timings.cache_n`). Absent from servers that do not tell. */
  readonly cachedTokens?: number
  readonly outputTokens?: number
  /** First 16 hexadecimal digits of the SHA-256 of a complete answer's text. */
  readonly answerHash?: string
  /** Of an embedding: its numbers, the i-th (from 1) times cos(i), added up. Equal vectors have equal sums but for rounding, different ones hardly ever. */
  readonly vectorSum?: number
  /** `timings.prompt_ms` / `timings.predicted_ms` of llama-server: the second source. */
  readonly promptMs?: number
  readonly predictedMs?: number
  /** The gateway's record id (`X-Weir-Id`), to join with its log. */
  readonly weirId?: string
  /** Of a call that was tried again: those that were refused, in order, and then the last one's time of sending. */
  readonly refusals?: readonly Refusal[]
  readonly lastSentMs?: number
}

/** A try that was refused and followed by another. */
export interface Refusal {
  readonly sentMs: number
  readonly doneMs: number
  readonly status: number
  readonly reason: string
  readonly retryAfterSeconds?: number
}

/** One line of samples.ndjson; counters are raw (cumulative), deltas are taken in analysis. Absent = this machine has no such source. */
export interface OsSample {
  readonly atMs: number
  /** llama-server, summed over all threads where the kernel counts per thread (those that ended keep their last reading). */
  readonly process?: {
    readonly rssBytes: number
    readonly pssBytes?: number
    readonly minorFaults: number
    readonly majorFaults: number
    /** Absent in samples in which the threads were not read: they are dear, so not each time. */
    readonly voluntarySwitches?: number
    readonly involuntarySwitches?: number
    readonly runQueueWaitNs?: number
    readonly cpuUsec: number
    readonly readBytes?: number
    readonly threads: number
    /** On a CPU, nanoseconds (schedstat): finer than the clock ticks of `cpuUsec`, but without threads that began and ended between two samples. */
    readonly onCpuNs?: number
    readonly rssAnonBytes?: number
    readonly rssFileBytes?: number
    /** VmLck: what `mlock` really holds. */
    readonly lockedBytes?: number
    readonly swapBytes?: number
  }
  /** /proc/vmstat, whole machine. */
  readonly vm?: { readonly swapInPages: number, readonly swapOutPages: number, readonly majorFaults: number, readonly refaultFilePages?: number }
  /** /proc/pressure `total`, microseconds. */
  readonly psi?: Readonly<Record<'cpuSomeUsec' | 'memorySomeUsec' | 'memoryFullUsec' | 'ioSomeUsec' | 'ioFullUsec', number>>
  /** /proc/stat, clock ticks converted to microseconds, whole machine. */
  readonly host?: { readonly stealUsec: number, readonly idleUsec: number, readonly busyUsec: number, readonly contextSwitches: number }
  /** All whole disks together; `readMs` is summed over reads. */
  readonly disk?: { readonly readBytes: number, readonly writtenBytes: number, readonly ioMs: number, readonly reads?: number, readonly readMs?: number }
  /** cgroup v2 files of llama-server's group, flattened: `cpu.stat.nr_throttled`, `memory.stat.workingset_refault_file`, … */
  readonly cgroup?: Readonly<Record<string, number>>
  /** Established TCP connections to llama-server's port, by `ss` (another tool than /proc). */
  readonly serverSockets?: number
  /** Those that their clients have closed and llama-server has not (CLOSE-WAIT). Absent in runs before they were counted. */
  readonly serverSocketsCloseWait?: number
  /** llama-server's gauges when polled at ≤ 0.5 Hz. */
  readonly requestsProcessing?: number
  readonly requestsDeferred?: number
  /** Counters of llama-server: prompt tokens evaluated, tokens generated, and decode calls (each of one batch). */
  readonly promptTokensTotal?: number
  readonly predictedTokensTotal?: number
  readonly decodesTotal?: number
  /** CPU time of the sampler itself, microseconds. */
  readonly samplerCpuUsec: number
}

/** block.json. */
export interface BlockEvidence {
  readonly plan: BlockPlan
  /** Of an open loop: the closed loops before it, and after it where the plan says so and the server was idle soon. Absent in runs that kept no stamps of them. */
  readonly closedLoops?: readonly ClosedLoop[]
  /** Monotonic stamps, these and those below. */
  readonly loadFromMs: number
  /** Open loop: loadFromMs + ramp. Streams: loadFromMs. */
  readonly judgedFromMs: number
  /** Streams: when the last call ended. */
  readonly judgedToMs: number
  readonly drainedAtMs: number
  readonly startedAt: string
  readonly serverCommandLine: readonly string[]
  /** Monotonic: when llama-server was launched, and when it first said that it is healthy. */
  readonly serverStart?: { readonly launchedMs: number, readonly readyMs: number }
  readonly placement: Placement
  /** State that was read back before the load: affinity of llama-server, policies of the gateway, what each knob saw. */
  readonly readBack: Readonly<Record<string, string>>
  /** llama-server's own control group, where a knob needed one. */
  readonly group?: { readonly version: 'v2' | 'v1', readonly path: string }
  /** Flattened counters with v2 names, just before the load (after the warm-up), and when it was over. The group was made for this block: all counts began at 0. */
  readonly groupCountersAtStart?: Readonly<Record<string, number>>
  readonly groupCountersAtEnd?: Readonly<Record<string, number>>
  /** llama-server's own counters (`/metrics`, names without `llamacpp:`), just before the load (after the warm-up) and when it was over. Absent from servers that do not tell, and in runs before they were read. */
  readonly serverCountersAtStart?: Readonly<Record<string, number>>
  readonly serverCountersAtEnd?: Readonly<Record<string, number>>
  /** The gateway's `weir_slot_seconds_wasted` when the load was over; it began at 0. Absent in runs before it was read. */
  readonly slotSecondsWasted?: number
  /** Of llama-server's process and all disks, just before the load and when it was over: a load may be shorter than two samples are apart. */
  readonly osAtStart?: Pick<OsSample, 'process' | 'disk'>
  readonly osAtEnd?: Pick<OsSample, 'process' | 'disk'>
  /** llama-server ended by itself or was killed: evidence in a block of streams. */
  readonly serverEnd?: ServerEnd
  /**
   * Milliseconds for a token of a llama-server that nothing of the block touches (run/yardstick.ts), just before the block and just after it: how fast the machine was. Of streams; absent where
   * memory is limited, beside large models, and in runs before there was one.
   */
  readonly yardstick?: { readonly threads: number, readonly beforeMs: number, readonly afterMs: number }
  /** Absent in runs before Weir ran other tools beside its own sampler. */
  readonly tools?: readonly ToolRun[]
  readonly generatorEventLoopDelayMaxMs: number
  readonly warnings: readonly string[]
}

/** At full slots straight to llama-server, past the gateway. */
export interface ClosedLoop {
  /** Monotonic: before the first send, after the end of the last call. */
  readonly fromMs: number
  readonly toMs: number
  /** CPU time of llama-server between the two. Absent in runs before it was read there. */
  readonly serverCpuUsec?: number
}

export interface ServerEnd {
  /** `start`: before it was ready, so there are no calls. */
  readonly during: 'start' | 'load'
  readonly code: number | null
  readonly signal: string | null
  readonly atMs: number
  readonly why: string
  /** The kernel's line about a kill in its control group, by `dmesg`: which process, on which limit. */
  readonly kernelLog?: string
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
  /** What other tools counted in the judged window, from their own output (`tools/*.txt`). */
  readonly tools?: BlockTools
  /** Which task had which slot, from llama-server's own log; of an open loop. */
  readonly slotStays?: readonly SlotStay[]
  /** Gateway records (`CallRecord` lines) of this block. */
  readonly records: readonly CallRecord[]
}

/** A task in a slot of llama-server, by its log: milliseconds on the log's own clock, which begins about when the process does. */
export interface SlotStay {
  readonly task: number
  readonly fromMs: number
  /** Absent: the log ends before it. */
  readonly toMs?: number
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
  /** Of the clone: the commit, `-dirty` when files of it were changed. Absent without git, and in runs before it was read. */
  readonly gitCommit?: string
  readonly node: string
  readonly kernel: string
  readonly cpuModel: string
  readonly cpus: number
  readonly memoryBytes: number
  readonly virtualisation: string
  readonly cgroup: 'v2' | 'v1' | 'none'
  /** The kernel divides CPUs between sessions first, then between their threads (sched(7), autogroup). Absent in runs before it was read. */
  readonly autogroup?: boolean
  /** cpufreq's, of the first CPU. Absent where the machine or VM has none, and in runs before it was read. */
  readonly governor?: string
  readonly model: ModelFile
  /** Models of conditions that have one of their own. */
  readonly otherModels?: readonly ModelFile[]
  readonly server: { readonly version: string, readonly from: string, readonly slots: number, readonly threads: number, readonly batchTokens: number, readonly slotContextTokens: number }
  readonly placement: Placement
  /** What the preflight found missing, and what is lost by it. */
  readonly missing: readonly string[]
}
