/** Figures of a load in which a few calls have long prompts (class `long`) and the others short ones (`short`). */
import type { CallRecord } from '../../policies/contract.js'
import type { CallSample, OsSample } from '../types.js'
import { LEFT } from '../load/client.js'
import { effectiveN } from '../stats/effective.js'
import { percentiles } from '../stats/percentile.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { judgedSamples, middle, scheduledTtftMs } from './window.js'

const isOf = (cls: 'short' | 'long') => (call: CallSample): boolean => call.cls === cls

function judged (views: readonly OpenLoopView[], condition: string, cls: 'short' | 'long'): CallSample[][] {
  return ofCondition(views, condition).map(view => view.judged.filter(isOf(cls)))
}

/** p95 over all short calls that were offered, milliseconds; one without an answer is later than any limit. Null below the floor of n. */
export function shortTtftP95Ms (views: readonly OpenLoopView[], condition: string): number | null {
  const series = judged(views, condition, 'short').map(calls => calls.map(call => scheduledTtftMs(call) ?? Infinity))
  return percentiles(series.flat(), effectiveN(series)).p95
}

/**
 * Mean over all short calls that were offered, milliseconds. Near its capacity a server's waits hang together for a minute, and four windows of three minutes held too few independent ones for a p95; a mean
 * needs none, since both conditions have the same arrivals. Null when one has no answer: its wait has no end.
 */
export function shortTtftMeanMs (views: readonly OpenLoopView[], condition: string): number | null {
  return meanOf(judged(views, condition, 'short').flat().map(call => scheduledTtftMs(call) ?? null))
}

/**
 * p99 of the gaps between tokens of the short calls, milliseconds: how long their streams stand still. The floor of n is on all gaps, as for gaps everywhere: a weaker one than on their
 * effective number, which is hardly more than that of the calls, since those of a stream are alike.
 */
export function shortGapP99Ms (views: readonly OpenLoopView[], condition: string): number | null {
  const gapsMs = judged(views, condition, 'short').flat().flatMap(({ itlMs }) => itlMs)
  return percentiles(gapsMs, gapsMs.length).p99
}

/** Mean time to first token of the long calls that were answered, milliseconds: too few for a percentile. Null when there is none. */
export function longTtftMeanMs (views: readonly OpenLoopView[], condition: string): number | null {
  const ttftsMs = judged(views, condition, 'long').flat().flatMap(call => scheduledTtftMs(call) ?? [])
  return ttftsMs.length === 0 ? null : ttftsMs.reduce((sum, ms) => sum + ms, 0) / ttftsMs.length
}

/** Long calls that were not answered, of those whose answer was waited for. Null when none was offered. */
export function longUnanswered (views: readonly OpenLoopView[], condition: string): number | null {
  const calls = judged(views, condition, 'long').flat().filter(({ reason }) => reason !== LEFT)
  return calls.length === 0 ? null : calls.filter(({ outcome }) => outcome !== 'answered').length
}

/**
 * The longest that a place was kept after its client had left, milliseconds, by the gateway's records: until llama-server let go of it. A client that leaves before any header knows no record of its
 * call, so all count that had a place and left before the drain, when nobody's patience has ended. Null when none did.
 */
export function longestReleaseMs (views: readonly OpenLoopView[], condition: string): number | null {
  const releasesMs = ofCondition(views, condition).flatMap(({ block: { records, evidence } }) => records
    .flatMap(({ admittedAtMs, leftAtMs, releasedAtMs }) => admittedAtMs === undefined || leftAtMs === undefined || releasedAtMs === undefined || leftAtMs >= evidence.judgedToMs ? [] : releasedAtMs - leftAtMs))
  return releasesMs.length === 0 ? null : Math.max(...releasesMs)
}

/** Median time to first token of the short calls in whose life no long one was under way, milliseconds: nothing was in their way. Null below the floor. */
export function undisturbedTtftP50Ms (views: readonly OpenLoopView[], condition: string): number | null {
  const series = ofCondition(views, condition).map(view => {
    const longs = [
      ...view.block.calls.filter(call => call.phase === 'load' && call.cls === 'long').map(({ sentMs, doneMs }) => ({ fromMs: sentMs, toMs: doneMs })),
      // llama-server goes on with the prompt of a client that left.
      ...view.block.records.flatMap(({ arrivedAtMs, leftAtMs, releasedAtMs }) => leftAtMs === undefined || releasedAtMs === undefined ? [] : [{ fromMs: arrivedAtMs, toMs: releasedAtMs }])
    ]
    return view.judged.filter(isOf('short')).filter(call => !longs.some(({ fromMs, toMs }) => fromMs < call.doneMs && toMs > call.sentMs)).flatMap(call => scheduledTtftMs(call) ?? [])
  })
  return percentiles(series.flat(), series.flat().length).p50
}

/** Median of the prompt tokens that the long calls themselves evaluated in one go, by llama-server's timings in the gateway's record. Null when no record has them. */
export function longPromptTokens (views: readonly OpenLoopView[], condition: string): number | null {
  return middle(ofCondition(views, condition).flatMap(view => {
    const records = new Map<string, CallRecord>(view.block.records.map(record => [record.id, record]))
    return view.judged.filter(isOf('long')).flatMap(({ weirId }) => weirId === undefined ? [] : records.get(weirId)?.timings?.prompt_n ?? [])
  }))
}

/**
 * How often one long prompt began to be evaluated before another one's first token was there, by the gateway's records (admitted until first byte); of all blocks together. Null when a long call that
 * was answered lacks its record.
 */
export function longSideBySide (views: readonly OpenLoopView[], condition: string): number | null {
  let count = 0
  for (const { judged, block } of ofCondition(views, condition)) {
    const records = new Map<string, CallRecord>(block.records.map(record => [record.id, record]))
    let untilMs = -Infinity
    const answered = judged.filter(isOf('long')).filter(({ outcome }) => outcome === 'answered').map(({ weirId = '' }) => records.get(weirId))
    const prefills = answered.flatMap(record => record?.admittedAtMs === undefined || record.firstByteAtMs === undefined ? [] : [{ fromMs: record.admittedAtMs, toMs: record.firstByteAtMs }])
    if (prefills.length < answered.length) return null
    for (const { fromMs, toMs } of prefills.sort((a, b) => a.fromMs - b.fromMs)) {
      if (fromMs < untilMs) count++
      untilMs = Math.max(untilMs, toMs)
    }
  }
  return count
}

/** Tokens that llama-server worked on in a decode call, prompt and generated ones together, by its own counters; mean over the blocks. Null when one has no two readings. */
export function tokensPerDecode (views: readonly OpenLoopView[], condition: string): number | null {
  return meanOf(ofCondition(views, condition).map(({ block }) => {
    const read = judgedSamples(block).filter(sample => sample.decodesTotal !== undefined)
    const [first, last] = [read[0], read.at(-1)]
    if (first === undefined || last === undefined) return null
    const decodes = (last.decodesTotal ?? 0) - (first.decodesTotal ?? 0)
    return decodes > 0 ? (tokensOf(last) - tokensOf(first)) / decodes : null
  }))
}

function tokensOf ({ promptTokensTotal = 0, predictedTokensTotal = 0 }: OsSample): number {
  return promptTokensTotal + predictedTokensTotal
}

/** CPUs that llama-server kept busy, by `pidstat`; mean over the blocks. Null when one has no reading. */
export function busyCpus (views: readonly OpenLoopView[], condition: string): number | null {
  return meanOf(ofCondition(views, condition).map(busyCpusOf))
}

export function busyCpusOf ({ block: { tools } }: OpenLoopView): number | null {
  const pidstat = tools?.pidstat
  return pidstat === undefined || pidstat.toMs <= pidstat.fromMs ? null : pidstat.cpuUsec / 1000 / (pidstat.toMs - pidstat.fromMs)
}

function meanOf (values: ReadonlyArray<number | null>): number | null {
  if (values.length === 0 || values.includes(null)) return null
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length
}
