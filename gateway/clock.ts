import type { Clock } from '../policies/contract.js'

/** CLOCK_MONOTONIC in milliseconds, so that records can be joined with samples of other processes of this machine. */
export const systemClock: Clock = {
  nowMs () {
    const [seconds, nanoseconds] = process.hrtime()
    return seconds * 1e3 + nanoseconds / 1e6
  },
  setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout)
}
