import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../clock.js'

/** Calls that their clients gave up cost llama-server at least their prefill each: it notices at the first token that nobody takes. */
const IDLE_WITHIN_MS = 20_000
const IDLE_CHECK_MS = 100
/** Of one CPU; a server that only polls uses less. */
const IDLE_SHARE = 0.1

/**
 * Until a process has used next to no CPU time for a moment, or is gone.
 * @param cpuUsec what it has used in all; undefined: it is gone
 * @returns false: it still works after that time, or the signal came
 */
export async function untilIdle (cpuUsec: () => number | undefined, signal: AbortSignal, withinMs = IDLE_WITHIN_MS): Promise<boolean> {
  const untilMs = nowMs() + withinMs
  for (let [seen, seenAtMs] = [cpuUsec(), nowMs()]; nowMs() < untilMs && !signal.aborted;) {
    await sleep(IDLE_CHECK_MS)
    // A sleep may last longer than asked.
    const [now, atMs] = [cpuUsec(), nowMs()]
    if (seen === undefined || now === undefined || now - seen <= (atMs - seenAtMs) * 1000 * IDLE_SHARE) return true
    ;[seen, seenAtMs] = [now, atMs]
  }
  return false
}
