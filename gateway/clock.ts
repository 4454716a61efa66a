import type { Clock } from '../policies/contract.js'

const [seconds, nanoseconds] = process.hrtime()
/** `performance.now` runs on CLOCK_MONOTONIC, too, counted from the start of the process; reading it makes no object. */
const sinceBootMs = seconds * 1e3 + nanoseconds / 1e6 - performance.now()

/** CLOCK_MONOTONIC in milliseconds, so that records can be joined with samples of other processes of this machine. */
export const systemClock: Clock = {
  nowMs: () => sinceBootMs + performance.now(),
  setTimeout: (fn, delayMs) => setTimeout(fn, delayMs),
  clearTimeout: handle => clearTimeout(handle as NodeJS.Timeout)
}
