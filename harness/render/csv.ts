/** Tables for other programs: RFC 4180, CRLF, a header line, empty where there is no value. Numbers are not rounded. */
import { isOpenLoop } from '../analyse/plan-kind.js'
import { osCounters, osTracks, type OsInside } from '../analyse/join/counters.js'
import { PERCENTILES } from './labels.js'
import type { Block, CallSample, Contrast, Evidence, OpenLoopResult, Result, StreamsResult } from '../types.js'

export type Field = string | number | boolean | null | undefined

function quote (field: Field): string {
  if (field === null || field === undefined) return ''
  const text = String(field)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Lines end with CRLF, the last one too. */
export function toCsv (header: readonly string[], lines: readonly (readonly Field[])[]): string {
  return [header, ...lines].map((line) => `${line.map(quote).join(',')}\r\n`).join('')
}

export function cellsCsv (result: Result): string {
  const header = ['condition', 'metric', 'unit', 'population', 'n', 'n_eff', 'mean', 'least_block', 'most_block', ...PERCENTILES.flatMap((p) => [p, `${p}_censored_above`, `${p}_ci95_lo`, `${p}_ci95_hi`])]
  return toCsv(header, result.cells.map((cell) => [
    cell.condition, cell.metric, cell.unit, cell.population, cell.n, cell.nEff, cell.mean, cell.range?.[0], cell.range?.[1],
    ...PERCENTILES.flatMap((p) => [cell[p], cell.censoredAbove?.[p], cell.ci95?.[p]?.[0], cell.ci95?.[p]?.[1]])
  ]))
}

export const CONTRAST_HEADER = ['id', 'a', 'b', 'metric', 'population', 'primary', 'ratio', 'ci95_lo', 'ci95_hi', 'p', 'p_holm', 'n', 'verdict', 'because'] as const

/** b ÷ a, in the order of the header. */
export function contrastFields ({ id, a, b, metric, population, primary, ratio, ci95, p, pAdjusted, n, verdict, because }: Contrast): Field[] {
  return [id, a, b, metric, population, primary, ratio, ci95?.[0], ci95?.[1], p, pAdjusted, n, verdict, because]
}

export function contrastsCsv ({ contrasts }: Result): string {
  return toCsv(CONTRAST_HEADER, contrasts.map(contrastFields))
}

export function blocksCsv (result: Result): string {
  return isOpenLoop(result) ? openLoopBlocks(result) : streamsBlocks(result)
}

function openLoopBlocks ({ blocks }: OpenLoopResult): string {
  const header = ['block', 'pair', 'condition', 'capacity_per_s', 'offered_per_s', 'answered_per_s', 'good_per_s', 'good_per_capacity', 'ttft_answered_p50_ms',
    'ttft_answered_p95_ms', 'tokens_per_s', 'server_cpu_usec_per_token', 'dispatch_delay_p95_ms', 'sampler_cpu_share', 'tools_cpu_share', 'valid', 'because']
  return toCsv(header, blocks.map((block) => [
    block.index, block.pair, block.condition, block.capacityPerSecond, block.offeredPerSecond, block.answeredPerSecond, block.goodPerSecond, block.goodPerCapacity,
    block.ttftAnsweredP50Ms, block.ttftAnsweredP95Ms, block.tokensPerSecond, block.serverCpuUsecPerToken, block.dispatchDelayP95Ms, block.samplerCpuShare, block.toolsCpuShare,
    block.valid, block.because
  ]))
}

function streamsBlocks ({ blocks, conditions }: StreamsResult): string {
  const factors = [...new Set(conditions.flatMap((condition) => Object.keys(condition.factors)))]
  const header = ['block', 'repeat', 'condition', ...factors, 'answered', 'failed', 'tokens_per_s', 'ttft_p50_ms', 'request_latency_p50_ms', 'start_to_first_token_ms', 'itl_p50_ms', 'itl_p95_ms', 'itl_p99_ms', 'cpus_used',
    'server_cpu_usec_per_token', 'read_bytes', 'periods', 'throttled_periods', 'throttled_usec', 'cpu_full_usec', 'refaulted_pages', 'memory_full_usec', 'group_read_bytes',
    'oom_kills', 'server_end', 'yardstick_threads', 'yardstick_ms', 'sampler_cpu_share', 'tools_cpu_share', 'valid', 'because']
  return toCsv(header, blocks.map((block) => {
    const { group } = block
    const own = conditions.find(({ id }) => id === block.condition)?.factors ?? {}
    return [
      block.index, block.pair, block.condition, ...factors.map((factor) => own[factor]), block.answered, block.failed, block.tokensPerSecond, block.ttftP50Ms, block.requestLatencyP50Ms, block.startToFirstTokenMs, block.itlP50Ms,
      block.itlP95Ms, block.itlP99Ms, block.cpusUsed, block.serverCpuUsecPerToken, block.readBytes, group.periods, group.throttledPeriods, group.throttledUsec,
      group.cpuFullUsec, group.refaultedPages, group.memoryFullUsec, group.readBytes, group.oomKills, block.serverEnd, block.yardstick?.threads, block.yardstick?.ms, block.samplerCpuShare, block.toolsCpuShare, block.valid, block.because
    ]
  }))
}

const CALL_HEADER = ['block', 'pair', 'condition', 'phase', 'judged', 'seq', 'class', 'outcome', 'status', 'reason', 'intended_ms', 'sent_ms', 'headers_ms', 'first_ms', 'last_ms',
  'done_ms', 'ttft_ms', 'ttft_wire_ms', 'latency_ms', 'chunks', 'itl_mean_ms', 'prompt_tokens', 'cached_tokens', 'output_tokens', 'prompt_ms', 'predicted_ms', 'answer_hash', 'vector_sum', 'retry_after_s', 'weir_id',
  // What was read of llama-server while the call lasted: throttled summed over CPUs, waits summed over threads; empty where it was not read.
  'throttled_ms', 'cpu_full_ms', 'memory_full_ms', 'io_full_ms', 'run_queue_wait_ms', 'major_faults', 'refaulted_pages']

/** Microseconds are the resolution of the stamps; more digits are noise of the subtraction. */
function since (from: number, to: number | undefined): number | undefined {
  return to === undefined ? undefined : Math.round((to - from) * 1000) / 1000
}

function callLine ({ evidence }: Block, call: CallSample, inside: OsInside): Field[] {
  const judged = call.phase === 'load' && call.intendedMs >= evidence.judgedFromMs && call.intendedMs < evidence.judgedToMs
  const gaps = call.itlMs.reduce((sum, gap) => sum + gap, 0)
  return [
    evidence.plan.index, evidence.plan.pair, evidence.plan.condition, call.phase, judged, call.seq, call.cls, call.outcome, call.status, call.reason,
    call.intendedMs, call.sentMs, call.headersMs, call.firstMs, call.lastMs, call.doneMs,
    since(call.intendedMs, call.firstMs), since(call.sentMs, call.firstMs), since(call.intendedMs, call.doneMs),
    call.chunks, call.itlMs.length === 0 ? undefined : Math.round(gaps / call.itlMs.length * 1000) / 1000,
    call.promptTokens, call.cachedTokens, call.outputTokens, call.promptMs, call.predictedMs, call.answerHash, call.vectorSum, call.retryAfterSeconds, call.weirId,
    ...osCounters.map((counter) => rounded(inside[counter]))
  ]
}

function rounded (value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value * 1000) / 1000
}

/** One line per call of every phase; `judged` tells those that the cells were made of. */
export function callsCsv (evidence: Evidence): string {
  const blocks = [...evidence.blocks].sort((a, b) => a.evidence.plan.index - b.evidence.plan.index)
  return toCsv(CALL_HEADER, blocks.flatMap((block) => {
    const tracks = osTracks(block)
    return block.calls.map((call) => callLine(block, call, call.outcome === 'answered' ? tracks.inside(call.sentMs, call.doneMs) : {}))
  }))
}
