import type { CallRecord } from '../../policies/contract.js'
import type { Block, OpenLoopPlan } from '../types.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import { middle } from './window.js'

/** A stay in a slot that began so long before the load is no call of it, milliseconds: the clock of the log begins a moment after the process. */
const BEFORE_LOAD_MS = 100

/** Headers come at most so long after their slot began, milliseconds: with a stay too many, that tells whether it is the last one. */
const PAIRED_MS = 250

/** A call that the gateway sent, on the run's clock. */
export interface SlotCall {
  readonly record: CallRecord
  readonly sentMs: number
  /** When llama-server let go of it: its slot's release by the log; of a call that never had a slot, its end at the gateway. Absent: the log ends before. */
  readonly goneMs?: number
}

/**
 * The calls of the load with the times of their slots. llama-server's log knows no ids of ours: slots begin with calls in the order in which response headers come, and that
 * pairs them; their median difference tells one clock from the other. A call that is broken off at the end of the load just as its slot begins has no headers: its stay is the last of all.
 * @returns null where the log has other stays than the records
 */
export function slotCalls ({ evidence, records, slotStays }: Block): SlotCall[] | null {
  const { loadFromMs, drainedAtMs, serverStart } = evidence
  if (slotStays === undefined || serverStart === undefined) return null
  const sent = records.flatMap(record => record.admittedAtMs === undefined ? [] : { record, sentMs: record.admittedAtMs, headersMs: record.upstreamHeadersAtMs })
  const begun = sent.flatMap(({ headersMs, ...call }) => headersMs === undefined ? [] : { ...call, headersMs }).sort((a, b) => a.headersMs - b.headersMs)
  const stays = slotStays.filter(({ fromMs }) => serverStart.launchedMs + fromMs >= loadFromMs - BEFORE_LOAD_MS && serverStart.launchedMs + fromMs <= drainedAtMs).sort((a, b) => a.fromMs - b.fromMs)
  const beyond = stays.length - begun.length
  if (begun.length === 0 || beyond < 0 || beyond > sent.length - begun.length) return null
  const offsetsMs = begun.map(({ headersMs }, i) => headersMs - (stays[i]?.fromMs ?? NaN))
  const offsetMs = middle(offsetsMs)
  if (offsetMs === null || (beyond > 0 && offsetsMs.some(each => Math.abs(each - offsetMs) > PAIRED_MS))) return null
  return [
    ...begun.map(({ record, sentMs }, i) => {
      const toMs = stays[i]?.toMs
      return { record, sentMs, ...(toMs === undefined ? {} : { goneMs: toMs + offsetMs }) }
    }),
    ...sent.flatMap(({ record, sentMs, headersMs }) => headersMs === undefined ? { record, sentMs, goneMs: record.overAtMs } : [])
  ]
}

/**
 * Mean number of calls at llama-server beyond its slots in the judged window: what waits in its own queue. The gauge `requests_deferred` cannot tell: it is read between two
 * decode calls, when a slot that was left has just been given up and the call that waited for it has just begun.
 */
export function hiddenQueue (block: Block, slots: number): number | null {
  const { judgedFromMs, judgedToMs } = block.evidence
  const calls = slotCalls(block)
  if (calls === null) return null
  const changes = calls.flatMap(({ sentMs, goneMs = Infinity }) => [{ atMs: sentMs, by: 1 }, { atMs: goneMs, by: -1 }]).sort((a, b) => a.atMs - b.atMs)
  let [inside, lastMs, areaMs] = [0, judgedFromMs, 0]
  for (const { atMs, by } of [...changes, { atMs: judgedToMs, by: 0 }]) {
    const untilMs = Math.min(atMs, judgedToMs)
    if (untilMs > lastMs) {
      areaMs += Math.max(0, inside - slots) * (untilMs - lastMs)
      lastMs = untilMs
    }
    inside += by
  }
  return areaMs / (judgedToMs - judgedFromMs)
}

/** Of the blocks of a condition; null when a valid one has none. */
export function meanHiddenQueue (views: readonly OpenLoopView[], { workload }: OpenLoopPlan, condition: string): number | null {
  const blocks = ofCondition(views, condition).map(({ block }) => hiddenQueue(block, workload.closedLoopClients))
  return blocks.length === 0 || blocks.includes(null) ? null : blocks.reduce<number>((sum, value) => sum + (value ?? 0), 0) / blocks.length
}
