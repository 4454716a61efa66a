import type { Block } from '../types.js'
import { slope } from '../stats/slope.js'

/**
 * Growth of the calls that were sent and are not over, calls per second: least-squares slope over 50 even readings of
 * the judged window. About offered − capacity for an unbounded queue in overload, 0 for a bounded one. Null without load.
 */
export function backlogPerSecond (block: Block): number | null {
  const { judgedFromMs, judgedToMs } = block.evidence
  const load = block.calls.filter(call => call.phase === 'load')
  if (load.length === 0) return null
  const times = Array.from({ length: 50 }, (_, i) => judgedFromMs + (i + 0.5) * (judgedToMs - judgedFromMs) / 50)
  const sent = Float64Array.from(load, call => call.sentMs).sort()
  const done = Float64Array.from(load, call => call.doneMs).sort()
  const backlog = times.map(atMs => countUpTo(sent, atMs) - countUpTo(done, atMs))
  return slope(times.map(atMs => atMs / 1000), backlog)
}

function countUpTo (sorted: Float64Array, limit: number): number {
  let [from, to] = [0, sorted.length]
  while (from < to) {
    const half = (from + to) >> 1
    if (sorted[half]! <= limit) from = half + 1
    else to = half
  }
  return from
}
