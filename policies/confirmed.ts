import type { Clock } from './contract.js'

/** Settles when upstream confirmed that it is free, or so long after the answer was over; `onTimeout` is called then. */
export function confirmed (clock: Clock, timeoutMs: number, released: Promise<void>, over: Promise<void>, onTimeout: () => void): Promise<void> {
  return new Promise(resolve => {
    let timer: unknown
    let isReleased = false
    // Before `over` is looked at: most answers are released when they are over, and need no timer.
    released.then(() => {
      isReleased = true
      clock.clearTimeout(timer)
      resolve()
    })
    over.then(() => {
      if (isReleased) return
      timer = clock.setTimeout(() => {
        onTimeout()
        resolve()
      }, timeoutMs)
    })
  })
}
