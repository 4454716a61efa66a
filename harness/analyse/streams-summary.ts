import type { Block, CallSample, GroupDeltas, OsSample, StreamsBlockSummary } from '../types.js'
import { percentiles } from '../stats/percentile.js'
import { endKindOf } from './server-end.js'
import { cpuPerToken, samplerShare } from './block-summary.js'
import { judgedCalls, judgedSamples, judgedSeconds, middle, tokensBetween } from './window.js'

/** A block of streams with what is derived from it alone. */
export interface StreamsView {
  readonly block: Block
  /** Its calls but the warm-up. */
  readonly judged: readonly CallSample[]
  /** Gaps of the answered calls, milliseconds, in order of time. */
  readonly gapsMs: readonly number[]
  readonly summary: StreamsBlockSummary
}

/** A block whose server was killed is valid: its calls say `failed`. One without calls is not, unless the server was killed before there could be any. */
export function summariseStreams (block: Block): StreamsView {
  const { plan, judgedFromMs, judgedToMs, serverEnd, yardstick } = block.evidence
  const judged = judgedCalls(block)
  const answered = judged.filter(call => call.outcome === 'answered')
  const gapsMs = answered.flatMap(call => call.itlMs)
  const itl = percentiles(gapsMs, gapsMs.length)
  const seconds = judgedSeconds(block)
  const samples = judgedSamples(block)
  return {
    block,
    judged,
    gapsMs,
    summary: {
      index: plan.index,
      pair: plan.pair,
      condition: plan.condition,
      answered: answered.length,
      failed: judged.length - answered.length,
      tokensPerSecond: seconds > 0 ? tokensBetween(block.calls, judgedFromMs, judgedToMs) / seconds : 0,
      ttftP50Ms: middle(answered.flatMap(ttftMs)),
      requestLatencyP50Ms: middle(answered.map(latencyMs)),
      startToFirstTokenMs: startToFirstToken(block, judged),
      itlP50Ms: itl.p50,
      itlP95Ms: itl.p95,
      itlP99Ms: itl.p99,
      serverCpuUsecPerToken: cpuPerToken(block),
      cpusUsed: cpusUsedIn(samples),
      readBytes: growthOf(samples, sample => sample.process?.readBytes),
      group: groupDeltas(block),
      samplerCpuShare: samplerShare(block),
      ...(yardstick === undefined ? {} : { yardstick: { threads: yardstick.threads, ms: (yardstick.beforeMs + yardstick.afterMs) / 2 } }),
      ...(serverEnd === undefined ? {} : { serverEnd: `${endKindOf(block.evidence)}, ${serverEnd.signal ?? (serverEnd.code === null ? serverEnd.why : `exit code ${serverEnd.code}`)}, ${serverEnd.during === 'start' ? 'before it was ready' : 'during the load'}` }),
      ...(judged.length === 0 && serverEnd === undefined ? { valid: false, because: 'no call was made' } : { valid: true })
    }
  }
}

/** Null after a warm-up: its first token came before the load. */
function startToFirstToken ({ evidence: { serverStart }, calls }: Block, judged: readonly CallSample[]): number | null {
  const warm = calls.some(call => call.phase === 'warm-up')
  const first = judged.filter(call => call.outcome === 'answered').flatMap(ttftMs)[0]
  return warm || serverStart === undefined || first === undefined ? null : serverStart.readyMs - serverStart.launchedMs + first
}

/** Null when its server was killed: what it did until then is no rate of the condition. */
export function wholeRate ({ tokensPerSecond, serverEnd }: StreamsBlockSummary): number | null {
  return serverEnd === undefined ? tokensPerSecond : null
}

/** Scheduled and wire TTFT are the same in a closed loop. */
export function ttftMs (call: CallSample): number[] {
  return call.firstMs === undefined ? [] : [call.firstMs - call.intendedMs]
}

/** Of its prompt, those that llama-server computed: all but what a slot had in its cache. */
export function computedPromptTokens ({ promptTokens, cachedTokens = 0 }: CallSample): number[] {
  return promptTokens === undefined ? [] : [promptTokens - cachedTokens]
}

/** Tokens written by each call of `llama_decode()` during the load, those for prompts included; null where llama-server does not tell. */
export function tokensPerDecode ({ evidence: { serverCountersAtStart: from, serverCountersAtEnd: to } }: Block): number | null {
  const grown = (name: 'n_decode_total' | 'tokens_predicted_total'): number => (to?.[name] ?? NaN) - (from?.[name] ?? NaN)
  const [tokens, decodeCalls] = [grown('tokens_predicted_total'), grown('n_decode_total')]
  return decodeCalls > 0 && tokens >= 0 ? tokens / decodeCalls : null
}

export function latencyMs ({ doneMs, intendedMs }: CallSample): number {
  return doneMs - intendedMs
}

interface Reading { readonly atMs: number, readonly value: number }

function readings (samples: readonly OsSample[], pick: (sample: OsSample) => number | undefined): { readonly first: Reading, readonly last: Reading } | undefined {
  const found = samples.flatMap(sample => {
    const value = pick(sample)
    return value === undefined ? [] : [{ atMs: sample.atMs, value }]
  })
  const [first, last] = [found[0], found.at(-1)]
  return first === undefined || last === undefined || last.atMs <= first.atMs ? undefined : { first, last }
}

/** Growth of a counter between the first and the last of these samples that have it; null without two. */
export function growthOf (samples: readonly OsSample[], pick: (sample: OsSample) => number | undefined): number | null {
  const ends = readings(samples, pick)
  return ends === undefined ? null : ends.last.value - ends.first.value
}

/** CPU time of llama-server ÷ wall time between the first and the last of these samples that have it. */
export function cpusUsedIn (samples: readonly OsSample[]): number | null {
  const ends = readings(samples, sample => sample.process?.cpuUsec)
  return ends === undefined ? null : (ends.last.value - ends.first.value) / 1000 / (ends.last.atMs - ends.first.atMs)
}

const DELTAS: ReadonlyArray<readonly [keyof GroupDeltas, string]> = [
  ['periods', 'cpu.stat.nr_periods'],
  ['throttledPeriods', 'cpu.stat.nr_throttled'],
  ['throttledUsec', 'cpu.stat.throttled_usec'],
  ['cpuUsec', 'cpu.stat.usage_usec'],
  ['cpuFullUsec', 'cpu.pressure.full_usec'],
  ['refaultedPages', 'memory.stat.workingset_refault_file'],
  ['memoryFullUsec', 'memory.pressure.full_usec'],
  ['readBytes', 'io.stat.rbytes']
]

export function groupDeltas ({ evidence }: Block): GroupDeltas {
  const { groupCountersAtStart: start = {}, groupCountersAtEnd: end = {} } = evidence
  const deltas = DELTAS.flatMap(([name, counter]) => {
    const [from, to] = [start[counter], end[counter]]
    return from === undefined || to === undefined ? [] : [[name, to - from] as const]
  })
  const kills = end['memory.events.oom_kill']
  return { ...Object.fromEntries(deltas), ...(kills === undefined ? {} : { oomKills: kills }) }
}
