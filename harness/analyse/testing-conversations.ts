import type { Block, CallSample, Evidence, OpenLoopPlan } from '../types.js'
import { prefixCache } from './claims/prefix-cache.js'
import { outcomesOfConversations } from './outcomes.js'
import { simulate } from './testing.js'
import { callRecord } from './testing-records.js'

/** Evidence of conversations that take turns, one call after the other, in front of four slots. For tests only. */
export interface ConversationOptions {
  readonly conversations: number
  /** Conditions in which all slots but one keep their conversation; in the others the least recently used one is given away. */
  readonly keeping: readonly string[]
  readonly related: boolean
  readonly knobs: readonly string[]
  /** Sources that are not there. */
  readonly without: ReadonlyArray<'pidstat' | 'records' | 'promptTokensTotal'>
  /** Work per token of llama-server in `after` ÷ `before`, the closed loop's too. */
  readonly cpuFactor: number
  /** First prompts of `after` ÷ those of `before`. */
  readonly lengthFactor: number
  /** llama-server's counter ÷ what the answers say. */
  readonly countedFactor: number
}

const slots = 4
const everyMs = 250
const firstTokens = 100
const turnTokens = 40
const outputTokens = 10
const common = 4

export function converse (options: Partial<ConversationOptions> = {}): Evidence & { readonly plan: OpenLoopPlan } {
  const all = { conversations: 8, keeping: ['after'], related: true, knobs: [], without: [], cpuFactor: 1, lengthFactor: 1, countedFactor: 1, ...options }
  const base = simulate({ windowSeconds: 20, overload: 0.5, cpuFactor: all.cpuFactor, blockNoise: 0 })
  const draft = {
    ...base.plan,
    quiet: !all.related,
    claims: [prefixCache.id],
    conditions: base.plan.conditions.map(condition => ({ ...condition, knobs: all.knobs })),
    workload: { ...base.plan.workload, conversations: { count: all.conversations, turns: 10, systemWords: 0, firstWords: 100, turnWords: 40, answerTokens: outputTokens, thinkSeconds: 2, thinkSpread: 0, related: all.related } },
    outcomes: outcomesOfConversations
  }
  return { ...base, plan: { ...draft, predictions: prefixCache.predictions(draft, base.manifest) }, blocks: base.blocks.map(block => talked(block, all)) }
}

function talked (block: Block, options: ConversationOptions): Block {
  const { condition } = block.evidence.plan
  const { loadFromMs, judgedFromMs, judgedToMs } = block.evidence
  const first = firstTokens * (condition === 'after' ? options.lengthFactor : 1)
  const held: Array<{ readonly conversation: number, readonly atMs: number } | undefined> = Array(slots).fill(undefined)
  const calls: Array<{ readonly sample: CallSample, readonly record: Block['records'][number], readonly evaluated: number }> = []
  for (let seq = 0; loadFromMs + seq * everyMs < judgedToMs; seq++) {
    const [talker, turn] = [seq % options.conversations, Math.floor(seq / options.conversations)]
    const conversation = talker + options.conversations * Math.floor(turn / 10)
    const atMs = loadFromMs + seq * everyMs
    const own = held.findIndex(each => each?.conversation === conversation)
    const slot = own >= 0 ? own : slotFor(held, options.keeping.includes(condition))
    const promptTokens = first + turn % 10 * (turnTokens + outputTokens)
    const kept = options.related && own >= 0 && turn % 10 > 0
    const cachedTokens = kept ? promptTokens - turnTokens : common
    held[slot] = { conversation, atMs }
    const firstMs = atMs + 5 + (promptTokens - cachedTokens) / 4
    const id = `${block.evidence.plan.index}-${seq}`
    calls.push({
      evaluated: promptTokens - cachedTokens,
      sample: { phase: 'load', seq, cls: 'short', conversation, turn: turn % 10, intendedMs: atMs, sentMs: atMs, headersMs: atMs, firstMs, lastMs: firstMs + 10, doneMs: firstMs + 10, status: 200, outcome: 'answered', chunks: outputTokens, itlMs: Array<number>(outputTokens - 1).fill(1), outputTokens, weirId: id },
      record: callRecord({ id, arrivedAtMs: atMs, admittedAtMs: atMs, firstByteAtMs: firstMs, overAtMs: firstMs + 10, releasedAtMs: firstMs + 11, promptTokens, cachedTokens, outputTokens })
    })
  }
  const has = (source: ConversationOptions['without'][number]): boolean => !options.without.includes(source)
  const evaluatedBy = (atMs: number): number => calls.reduce((sum, { evaluated, record }) => sum + ((record.firstByteAtMs ?? 0) <= atMs ? evaluated : 0), 0)
  const work = calls.filter(({ sample }) => sample.intendedMs >= judgedFromMs).reduce((sum, { evaluated }) => sum + evaluated + outputTokens, 0)
  const count = { voluntarySwitches: 0, involuntarySwitches: 0, minorFaults: 0, majorFaults: 0 }
  return {
    ...block,
    calls: [...block.calls.filter(({ phase }) => phase === 'capacity'), ...calls.map(({ sample }) => sample)],
    records: has('records') ? calls.map(({ record }) => record) : [],
    samples: block.samples.map(sample => ({ ...sample, ...(has('promptTokensTotal') ? { promptTokensTotal: options.countedFactor * evaluatedBy(sample.atMs) } : {}) })),
    tools: has('pidstat') ? { pidstat: { fromMs: judgedFromMs, toMs: judgedToMs, cpuUsec: 1000 * work * (condition === 'after' ? options.cpuFactor : 1), ...count } } : {}
  }
}

function slotFor (held: ReadonlyArray<{ readonly atMs: number } | undefined>, keeping: boolean): number {
  const empty = held.findIndex(each => each === undefined)
  if (empty >= 0) return empty
  if (keeping) return held.length - 1
  return held.reduce((least, each, slot) => (each?.atMs ?? 0) < (held[least]?.atMs ?? 0) ? slot : least, 0)
}
