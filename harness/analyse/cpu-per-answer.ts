import type { OpenLoopView } from './block-summary.js'
import { ratio } from './ratio.js'
import { middle } from './window.js'

/** Microseconds of llama-server by pidstat for each answer, the median of the blocks; null when one has no such reading. */
export function cpuUsecPerAnswer (views: readonly OpenLoopView[]): number | null {
  const values = views.map(ofBlock)
  return values.length === 0 || values.includes(null) ? null : middle(values.flatMap(value => value ?? []))
}

/** Between the ends of pidstat's intervals; answers by the parts of their lives in it would need the same care, so it is their rate in the judged window that they are held against. */
function ofBlock ({ block, summary }: OpenLoopView): number | null {
  const pidstat = block.tools?.pidstat
  if (pidstat === undefined || !(pidstat.toMs > pidstat.fromMs)) return null
  return ratio(pidstat.cpuUsec / ((pidstat.toMs - pidstat.fromMs) / 1000), summary.answeredPerSecond)
}
