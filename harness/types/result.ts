/** What follows from plan and evidence. */
import type { Manifest } from './evidence.js'
import type { Condition, Design, OutcomeSpec, PresetName } from './plan.js'
import type { BlockTools, CrossCheck } from './tools.js'
import type { OpenLoopWorkload, StreamsWorkload } from './workload.js'

export type Population = 'offered' | 'answered' | 'refused' | 'block'
export type ContrastVerdict = 'better' | 'worse' | 'equivalent' | 'cannot say'

export interface Cell {
  readonly condition: string
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
  /** Least and most of the blocks; of one number a block, from two blocks on. */
  readonly range?: readonly [number, number]
}

export interface Contrast {
  /** E.g. `good-per-second`, `good-per-capacity`; with the condition's id after a colon where there is more than one pair. */
  readonly id: string
  /** Ids of conditions, or what else was compared, in words. */
  readonly a: string
  readonly b: string
  readonly metric: string
  readonly population: Population
  readonly primary: boolean
  /** b ÷ a. */
  readonly ratio: number | null
  /** What a and b had: geometric means over the blocks of the pairs that count, so that one ÷ the other is `ratio`. Absent where that is not made of one number of each block. */
  readonly compared?: readonly [number, number]
  readonly ci95: readonly [number, number] | null
  readonly p: number | null
  /** Holm-adjusted among the secondary outcomes. */
  readonly pAdjusted?: number | null
  readonly n: number
  readonly verdict: ContrastVerdict
  readonly because: string
}

export type LegStatus = 'holds' | 'fails' | 'missing'

/** One number against its band. */
export interface LegFigure {
  readonly what: string
  /** A condition, or two and what stands between them; absent: `what` says it. */
  readonly of?: string
  /** The file, or the tool and what it printed. */
  readonly source: string
  /** Of a figure that compares two conditions: what each of them had, first the one that the other is divided by, or taken from. Medians or means over blocks; `value` is made block by block. */
  readonly compared?: readonly [number, number]
  readonly value: number | null
  readonly band: readonly [number, number] | null
  readonly status: LegStatus
  /** Why it is missing. */
  readonly because?: string
}

/** All of its figures hold, or it does not. */
export interface Leg {
  readonly status: LegStatus
  /** All figures with their bands, in one text. */
  readonly statement: string
  readonly source: string
  /** Of the figure that made the status. */
  readonly value: number | null
  readonly band: readonly [number, number] | null
  readonly figures: readonly LegFigure[]
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
  /** Predicted times, drawn on the spectrum of the gaps of these conditions. */
  readonly marks?: readonly Mark[]
  /** Predicted doses, drawn on the dose-response of that factor. */
  readonly doseMarks?: readonly DoseMark[]
}

export interface DoseMark {
  readonly factor: string
  readonly at: number
  readonly label: string
}

export interface Mark {
  readonly condition: string
  readonly atMs: number
  readonly label: string
}

export type StallSource = 'throttled' | 'cpu-full' | 'memory-full' | 'io-full' | 'run-queue-wait'

/** How much of what a condition's slowest waits took beyond the usual the operating system explains; defined in analyse/join/explained.ts. */
export interface ExplainedShare {
  readonly condition: string
  readonly metric: 'request-latency' | 'itl'
  /** The slowest: at or above this percentile; all, where there are too few for one. */
  readonly percentile: 'p50' | 'p95' | 'p99' | 'all'
  readonly n: number
  readonly tail: number
  /** Median of what they are compared with. */
  readonly usualMs: number
  /** Mean over the tail. */
  readonly excessMs: number
  /** Lower bounds that overlap; empty where there is no excess. */
  readonly shares: readonly { readonly source: StallSource, readonly share: number | null, readonly ci95: readonly [number, number] | null, readonly because?: string }[]
}

interface ResultOfAnyKind {
  readonly schemaVersion: 2
  readonly experiment: string
  readonly question: string
  readonly preset: PresetName
  readonly planSha256: string
  readonly complete: boolean
  readonly manifest: Manifest
  readonly design: Design
  readonly conditions: readonly Condition[]
  /** As in the plan. */
  readonly quiet: boolean
  readonly effects: readonly string[]
  readonly outcomes: readonly OutcomeSpec[]
  readonly cells: readonly Cell[]
  readonly contrasts: readonly Contrast[]
  readonly claims: readonly Claim[]
  /** Of the valid blocks. Absent in results before calls were joined with samples. */
  readonly explained?: readonly ExplainedShare[]
  /** Judged calls by condition, outcome and reason. */
  readonly counts: readonly { readonly condition: string, readonly outcome: string, readonly reason: string, readonly n: number }[]
  readonly warnings: readonly string[]
}

export interface OpenLoopResult extends ResultOfAnyKind {
  readonly workload: OpenLoopWorkload
  /** One row per block: the numbers the contrasts were made of. */
  readonly blocks: readonly OpenLoopBlockSummary[]
}

export interface StreamsResult extends ResultOfAnyKind {
  readonly workload: StreamsWorkload
  readonly blocks: readonly StreamsBlockSummary[]
}

/** result.json. */
export type Result = OpenLoopResult | StreamsResult

interface SummaryOfAnyKind {
  readonly index: number
  readonly pair: number
  readonly condition: string
  /** Content chunks in the judged window ÷ its length. */
  readonly tokensPerSecond: number
  readonly serverCpuUsecPerToken: number | null
  /** The sampler's own CPU time ÷ wall time. */
  readonly samplerCpuShare: number
  /** CPU time of the tools that ran beside it ÷ wall time; absent when none did. */
  readonly toolsCpuShare?: number
  readonly tools?: BlockTools
  readonly crossChecks?: readonly CrossCheck[]
  readonly valid: boolean
  readonly because?: string
}

export interface OpenLoopBlockSummary extends SummaryOfAnyKind {
  /** CPU time of llama-server per token in the block's closed loops. */
  readonly closedLoopCpuUsecPerToken: number | null
  readonly capacityPerSecond: number
  readonly offeredPerSecond: number
  readonly answeredPerSecond: number
  readonly goodPerSecond: number
  readonly goodPerCapacity: number
  readonly ttftAnsweredP50Ms: number | null
  readonly ttftAnsweredP95Ms: number | null
  readonly dispatchDelayP95Ms: number
}

/** Of a block whose server was killed `tokensPerSecond` counts until then, and no figure of the condition is made of it. */
export interface StreamsBlockSummary extends SummaryOfAnyKind {
  readonly answered: number
  readonly failed: number
  readonly ttftP50Ms: number | null
  readonly requestLatencyP50Ms: number | null
  /** From the launch of llama-server until it is healthy, and from its first call to that one's first token; what the harness does in between is not in it. */
  readonly startToFirstTokenMs: number | null
  /** Over all gaps of the answered calls; null below the floors of the percentiles. */
  readonly itlP50Ms: number | null
  readonly itlP95Ms: number | null
  readonly itlP99Ms: number | null
  /** CPU time of llama-server ÷ wall time. */
  readonly cpusUsed: number | null
  /** What its process read from storage during the load. */
  readonly readBytes: number | null
  readonly group: GroupDeltas
  /** How fast the machine was: the mean of the two readings of a yardstick with so many threads, milliseconds for a token. Absent where there was none. */
  readonly yardstick?: { readonly threads: number, readonly ms: number }
  /** llama-server ended during the load or before it was ready: signal or exit code. */
  readonly serverEnd?: string
}

/** Growth of the control group's counters during the load; absent: no group, or the kernel has no such counter. */
export interface GroupDeltas {
  readonly periods?: number
  readonly throttledPeriods?: number
  /** Summed over CPUs: can exceed the wall time. */
  readonly throttledUsec?: number
  readonly cpuUsec?: number
  readonly cpuFullUsec?: number
  readonly refaultedPages?: number
  readonly memoryFullUsec?: number
  readonly readBytes?: number
  /** Since the group was made: a kill may come before the load. */
  readonly oomKills?: number
}

export type BlockSummary = OpenLoopBlockSummary | StreamsBlockSummary
