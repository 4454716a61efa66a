import { nowMs } from '../clock.js'

/** Plain timers fire up to 1.3 ms early and rarely more than 2 ms late on an idle machine: the last stretch is spun. */
const SPIN_MS = 2

export interface WaitOptions {
  /** Spin the last 2 ms (`setImmediate`): exact, but a busy neighbour to a server that spins on all cores. False: timers only. */
  readonly spin: boolean
  /** Ends the wait at once. */
  readonly signal: AbortSignal
}

/**
 * Waits until `atMs` (`nowMs`), never less. At or after it, returns in the same turn of the event loop.
 * Returns false when the signal ended the wait before that time.
 */
export async function waitUntil (atMs: number, { spin, signal }: WaitOptions): Promise<boolean> {
  while (!signal.aborted) {
    const leftMs = atMs - nowMs()
    if (leftMs <= 0) return true
    if (!spin) await sleep(leftMs, signal)
    else if (leftMs > SPIN_MS) await sleep(leftMs - SPIN_MS, signal)
    else await spinUntil(atMs, signal)
  }
  return false
}

/** A small function of its own: an async loop that gets hot here is compiled for up to 10 ms by a thread on the generator's only CPU, when its fifth call or so is due. */
function spinUntil (atMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    function look (): void {
      if (signal.aborted || nowMs() >= atMs) resolve()
      else setImmediate(look)
    }
    look()
  })
}

function sleep (delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(finish, delayMs)
    signal.addEventListener('abort', finish, { once: true })
    function finish (): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', finish)
      resolve()
    }
  })
}
