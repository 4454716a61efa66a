import { setMaxListeners } from 'node:events'
import { waitUntil } from './wait.js'

/** How long calls may take, as a signal for all of them. */
export interface Patience {
  /** Aborts with the reason `drain over`, or `stopped`. */
  readonly signal: AbortSignal
  /** Ends it now; calls under way become `unanswered` with this reason. */
  end (reason: string): void
  /** No call is under way any more. */
  close (): Promise<void>
}

/** Over at `drainUntilMs` (monotonic milliseconds; never earlier) or when `stop` aborts. */
export function startPatience (drainUntilMs: number, stop: AbortSignal): Patience {
  const patience = new AbortController()
  const closed = new AbortController()
  // Every call under way listens.
  setMaxListeners(0, patience.signal)
  const onStop = (): void => patience.abort('stopped')
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  const timer = waitUntil(drainUntilMs, { spin: false, signal: closed.signal }).then(over => { if (over) patience.abort('drain over') })
  return {
    signal: patience.signal,
    end: reason => patience.abort(reason),
    async close () {
      stop.removeEventListener('abort', onStop)
      closed.abort()
      await timer
    }
  }
}
