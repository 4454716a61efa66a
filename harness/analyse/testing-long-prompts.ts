import type { CallRecord } from '../../policies/contract.js'
import { seededRandom } from '../stats/random.js'
import type { Block, CallSample, Evidence, OpenLoopPlan, OsSample } from '../types.js'
import { claimEntry } from './claims/index.js'
import { simulate } from './testing.js'
import { callRecord } from './testing-records.js'

/** Evidence of a load in which every tenth call has a long prompt. For tests only. */
export interface LongPromptOptions {
  readonly pairs: number
  /** Conditions in which long prompts are fed in chunks; in the others everybody waits for them. */
  readonly fed: readonly string[]
  /** Short calls wait so much longer than a chunk makes them, milliseconds, where prompts are fed. */
  readonly lateMs: number
  /** Time that chunks make of a long prompt's own. */
  readonly stretch: number
  /** CPU time of llama-server per token, of the closed loops as well, in `after` ÷ `before`. */
  readonly cpuFactor: number
  /** Of the short calls that meet no long one, time to first token in `after` ÷ `before`. */
  readonly speedUp: number
  /** The first long call of each block has no answer in `after`. */
  readonly starves: boolean
  /** Places of clients that left are free so long after, milliseconds, where prompts are fed. */
  readonly releaseMs: number
  /** Records of long calls in `after` say that they began together. */
  readonly together: boolean
  /** Every tenth short call is refused in `after`. */
  readonly refuses: boolean
  readonly without: ReadonlyArray<'pidstat' | 'counters' | 'records' | 'process' | 'gaps' | 'long'>
}

const usual: LongPromptOptions = { pairs: 8, fed: ['after'], lateMs: 0, stretch: 1.2, cpuFactor: 1, speedUp: 1, starves: false, together: false, refuses: false, releaseMs: 300, without: [] }

const WINDOW_SECONDS = 60
const RATE_PER_SECOND = 0.5
const SHORT = { firstMs: 260, restMs: 150, tokens: 16 } as const
const LONG_MS = 8_000
const CHUNK_MS = 400
const GAP_MS = 10

export function simulateLongPrompts (given: Partial<LongPromptOptions> = {}, claim = 'preemptible-prefill'): Evidence {
  const options = { ...usual, ...given }
  const base = simulate({ pairs: options.pairs, windowSeconds: WINDOW_SECONDS, cpuFactor: options.cpuFactor, without: options.without.includes('process') ? ['process'] : [] })
  const draft: Omit<OpenLoopPlan, 'predictions'> = {
    ...base.plan,
    experiment: claim,
    claims: [claim],
    conditions: base.plan.conditions.map(condition => condition.id === 'after' ? { ...condition, policyOptions: { admission: { preemptiblePrefill: { chunkMs: CHUNK_MS } } } } : condition),
    workload: { ...base.plan.workload, classes: [{ name: 'short', promptWords: 32, maxTokens: SHORT.tokens, share: 0.9 }, { name: 'long', promptWords: 1_100, maxTokens: SHORT.tokens, share: 0.1 }], ratePerSecond: RATE_PER_SECOND, ttftLimitMs: { short: 1_000, long: 30_000 } }
  }
  return {
    ...base,
    plan: { ...draft, predictions: claimEntry(claim).predictions(draft, base.manifest) },
    blocks: base.blocks.map(block => withLongPrompts(block, options))
  }
}

function withLongPrompts (block: Block, options: LongPromptOptions): Block {
  const { plan, judgedFromMs, judgedToMs, loadFromMs } = block.evidence
  const fed = options.fed.includes(plan.condition)
  const calls = load(plan.traceSeed, loadFromMs, judgedToMs, plan.condition, fed, options)
  const has = (source: LongPromptOptions['without'][number]): boolean => !options.without.includes(source)
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls].filter(call => has('long') || call.cls !== 'long').map(call => has('gaps') ? call : { ...call, itlMs: [] }),
    samples: block.samples.map((sample): OsSample => has('counters') ? { ...sample, promptTokensTotal: sample.atMs * (fed ? 0.15 : 0.17), predictedTokensTotal: 0, decodesTotal: sample.atMs * 0.01 } : sample),
    records: has('records') ? calls.map(call => recordOf(call, fed, options.releaseMs, options.together && plan.condition === 'after')) : [],
    ...(has('pidstat') ? { tools: { pidstat: { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: 600 * (judgedToMs - judgedFromMs), voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 } } } : {})
  }
}

/** Whole: one after the other. Fed: short ones are late by a chunk at most, and long ones stand behind long ones alone. */
function load (seed: number, fromMs: number, toMs: number, condition: string, fed: boolean, options: LongPromptOptions): CallSample[] {
  const random = seededRandom(seed)
  const calls: CallSample[] = []
  let freeAtMs = 0
  let longUntilMs = 0
  let starved = false
  let longs = 0
  for (let seq = 0, atMs = fromMs; ; seq++) {
    atMs -= Math.log(1 - random()) * 1000 / RATE_PER_SECOND
    const isLong = random() < 0.1
    const chunk = random() * CHUNK_MS
    if (atMs >= toMs) return calls
    const alone = atMs >= longUntilMs
    const ownMs = isLong ? LONG_MS * (fed ? options.stretch : 1) : SHORT.firstMs * (condition === 'after' && alone ? options.speedUp : 1)
    const beginMs = fed && !isLong ? atMs + (alone ? 0 : chunk + options.lateMs) : Math.max(atMs, fed ? longUntilMs : freeAtMs)
    const firstMs = beginMs + ownMs
    if (!fed || isLong) freeAtMs = firstMs + SHORT.restMs
    if (isLong) longUntilMs = firstMs
    const frozenMs = isLong || alone ? 0 : fed ? CHUNK_MS : 3_000
    const itlMs: number[] = Array.from({ length: SHORT.tokens - 1 }, (_, i) => i === 0 && frozenMs > 0 ? frozenMs : GAP_MS)
    const lastMs = firstMs + itlMs.reduce((sum, ms) => sum + ms, 0)
    const leaves = isLong && ++longs % 4 === 0
    const common = { phase: 'load', seq, cls: isLong ? 'long' : 'short', intendedMs: atMs, sentMs: atMs, weirId: `${seed}-${condition}-${seq}` } as const
    if (leaves) {
      calls.push({ ...common, doneMs: atMs + LONG_MS / 5, outcome: 'unanswered', reason: 'left', chunks: 0, itlMs: [] })
    } else if (isLong && options.starves && condition === 'after' && !starved) {
      starved = true
      calls.push({ ...common, doneMs: toMs + 30_000, outcome: 'unanswered', chunks: 0, itlMs: [] })
    } else if (!isLong && options.refuses && condition === 'after' && seq % 10 === 0) {
      calls.push({ ...common, doneMs: atMs + 2, status: 429, outcome: 'refused', reason: 'queue-full', chunks: 0, itlMs: [] })
    } else {
      calls.push({ ...common, headersMs: firstMs, firstMs, lastMs, doneMs: lastMs, status: 200, outcome: 'answered', chunks: SHORT.tokens, itlMs })
    }
  }
}

function recordOf ({ weirId = '', cls, intendedMs, doneMs, firstMs, reason }: CallSample, fed: boolean, releaseMs: number, together: boolean): CallRecord {
  if (reason === 'left') return callRecord({ id: weirId, arrivedAtMs: intendedMs, outcome: 'left', status: 499, admittedAtMs: intendedMs, leftAtMs: doneMs, overAtMs: doneMs + (fed ? releaseMs : 3_000), releasedAtMs: doneMs + (fed ? releaseMs : 3_000) })
  const evaluated = cls === 'short' ? 44 : fed ? 60 : 1_500
  const timings = { cache_n: (cls === 'short' ? 44 : 1_500) - evaluated, prompt_n: evaluated, prompt_ms: 1, predicted_n: 16, predicted_ms: 1 }
  const prefill = firstMs === undefined ? {} : { admittedAtMs: together ? 0 : firstMs - 1, firstByteAtMs: firstMs }
  return callRecord({ id: weirId, arrivedAtMs: intendedMs, overAtMs: doneMs, timings, ...prefill })
}
