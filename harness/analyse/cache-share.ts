import type { Block } from '../types.js'
import { bestCachedTokens, type SlotUse } from './belady.js'
import { middle, samplesBetween } from './window.js'

/** What a load of conversations found in llama-server's slots, by the gateway's records of its calls. */
export interface CacheFigures {
  readonly calls: number
  /** Of all prompts, and of these those that llama-server had in its cache. */
  readonly promptTokens: number
  readonly cachedTokens: number
  /** The most that any choice of slots could have found for the same calls at the same times. */
  readonly bestTokens: number
}

interface Turn extends Omit<SlotUse, 'keptTokens' | 'otherwiseTokens'> {
  readonly turn: number
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
}

/** Null without a record of any call of the load. */
export function cacheFigures (block: Block, slots: number, related: boolean): CacheFigures | null {
  const turns = turnsOf(block)
  if (turns.length === 0) return null
  // What a first turn finds is there in any slot: the template's head, and instructions that all have in common.
  const common = middle(turns.filter(({ turn }) => turn === 0).map(({ cachedTokens }) => cachedTokens)) ?? 0
  const last = new Map<number, Turn>()
  const uses = turns.map((turn): SlotUse => {
    const earlier = related ? last.get(turn.conversation) : undefined
    last.set(turn.conversation, turn)
    // The last token of an answer is never evaluated, and of a prompt at least one is.
    const kept = earlier === undefined ? common : Math.min(turn.promptTokens - 1, earlier.promptTokens + earlier.outputTokens - 1)
    return { ...turn, keptTokens: Math.max(kept, common), otherwiseTokens: common }
  })
  return {
    calls: turns.length,
    promptTokens: sum(turns.map(turn => turn.promptTokens)),
    cachedTokens: sum(turns.map(turn => turn.cachedTokens)),
    bestTokens: bestCachedTokens(uses, slots)
  }
}

/** Calls of the load that ran to their end, by their start. */
function turnsOf ({ calls, records }: Block): Turn[] {
  const byId = new Map(records.map(record => [record.id, record]))
  return calls.flatMap(({ phase, conversation, turn, weirId }): Turn[] => {
    const record = phase === 'load' && weirId !== undefined ? byId.get(weirId) : undefined
    if (record === undefined || conversation === undefined || turn === undefined || record.outcome !== 'complete') return []
    const { admittedAtMs: fromMs, releasedAtMs: toMs, promptTokens, cachedTokens, outputTokens = 0 } = record
    if (fromMs === undefined || toMs === undefined || promptTokens === undefined || cachedTokens === undefined) return []
    return [{ conversation, turn, fromMs, toMs, promptTokens, cachedTokens, outputTokens }]
  }).sort((a, b) => a.fromMs - b.fromMs)
}

/** Prompt tokens evaluated under load by llama-server's own counter ÷ by the records, between two readings of it; null without two. */
export function countedShare (block: Block): number | null {
  const readings = samplesBetween(block, block.evidence.loadFromMs, block.evidence.drainedAtMs).flatMap(({ atMs, promptTokensTotal: total }) => total === undefined ? [] : [{ atMs, total }])
  const [first, last] = [readings[0], readings.at(-1)]
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return null
  // It grows when a prompt is done.
  const recorded = block.records.flatMap(({ firstByteAtMs, promptTokens, cachedTokens }) =>
    firstByteAtMs === undefined || promptTokens === undefined || cachedTokens === undefined || firstByteAtMs <= first.atMs || firstByteAtMs > last.atMs ? [] : [promptTokens - cachedTokens])
  return recorded.length === 0 ? null : (last.total - first.total) / sum(recorded)
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
