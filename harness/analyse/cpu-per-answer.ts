import type { OpenLoopView } from './block-summary.js'
import { ratio } from './ratio.js'

/**
 * Microseconds of llama-server by pidstat for each answer of a block; null without such a reading. Between the ends of pidstat's intervals; answers by the parts of their lives in it would need the
 * same care, so it is their rate in the judged window that they are held against.
 */
export function cpuUsecPerAnswer ({ block, summary }: OpenLoopView): number | null {
  const pidstat = block.tools?.pidstat
  if (pidstat === undefined || !(pidstat.toMs > pidstat.fromMs)) return null
  return ratio(pidstat.cpuUsec / ((pidstat.toMs - pidstat.fromMs) / 1000), summary.answeredPerSecond)
}
