import { build } from 'hdr-histogram-js'
import type { Histogram } from 'hdr-histogram-js'
import type { Clock } from '../policies/contract.js'

export interface Percentiles {
  readonly n: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

const windowMs = 60_000

/** Percentiles of the last one to two minutes, in milliseconds, for the status page. */
export class Latency {
  readonly #clock: Clock
  #current = histogram()
  #previous = histogram()
  #sinceMs: number

  constructor (clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.nowMs()
  }

  record (ms: number): void {
    this.#turn()
    this.#current.recordValue(Math.max(0, Math.round(ms * 1000)))
  }

  percentiles (): Percentiles {
    this.#turn()
    const both = histogram()
    both.add(this.#previous)
    both.add(this.#current)
    const ms = (percentile: number): number => both.totalCount === 0 ? 0 : both.getValueAtPercentile(percentile) / 1000
    return { n: both.totalCount, p50: ms(50), p95: ms(95), p99: ms(99), max: both.totalCount === 0 ? 0 : both.maxValue / 1000 }
  }

  #turn (): void {
    const ageMs = this.#clock.nowMs() - this.#sinceMs
    if (ageMs < windowMs) return
    this.#previous = ageMs < 2 * windowMs ? this.#current : histogram()
    this.#current = histogram()
    this.#sinceMs = this.#clock.nowMs()
  }
}

/** Microseconds up to two hours, two digits: within 1 %. */
function histogram (): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 7_200_000_000, numberOfSignificantValueDigits: 2 })
}
