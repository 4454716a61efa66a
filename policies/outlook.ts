import type { CostModel, Work } from './cost-model.js'
import { forecastWaitMs } from './forecast.js'
import type { Pace } from './pace.js'
import type { Newcomer, Running } from './schedule-entry.js'

/** The places now, and who holds them. */
export interface Occupancy {
  readonly places: number
  readonly taken: number
  readonly running: Iterable<Running>
  /** Places at upstream, where those above are a caller's own. Default: the same. */
  readonly company?: number
}

/** How long what runs will hold its places, and what waits will wait: by what calls like them cost, and before that is known by the pace of all. */
export class Outlook {
  readonly #costs: CostModel
  readonly #pace: Pace

  constructor (costs: CostModel, pace: Pace) {
    this.#costs = costs
    this.#pace = pace
  }

  /** Milliseconds in which a call holds its places, among as many as there are; 0 while nothing is known. */
  serviceMs (work: Work, places: number): number {
    return this.#costs.leftMs(work, places, 0) ?? this.#pace.serviceMs ?? 0
  }

  /** Milliseconds until a call of this many places starts behind these; 0 while nothing is known. */
  waitMs (line: ReadonlyArray<Pick<Newcomer, 'places' | 'work'>>, wanted: number, { places, taken, running, company = places }: Occupancy, atMs: number): number {
    const free = places - taken
    const widthOf = (width: number): number => Math.min(Math.max(1, width), places)
    if (line.length === 0 && free >= widthOf(wanted)) return 0
    const busy = []
    for (const entry of running) {
      if (entry.ending === true) continue
      const leftMs = this.leftMs(entry, company, atMs)
      if (leftMs === undefined) return 0
      busy.push({ leftMs, places: entry.places })
    }
    return forecastWaitMs(free, busy, line.map(entry => ({ places: widthOf(entry.places), serviceMs: this.serviceMs(entry.work, company) })), widthOf(wanted))
  }

  /** A caller with a bound of its own stands behind its own calls, too, however many places are free. @param before the line in front of it @param company places of the server */
  ownBoundMs ({ caller, places, maxPlaces }: Newcomer, before: readonly Newcomer[], running: Iterable<Running>, company: number, atMs: number): number {
    if (maxPlaces === Infinity) return 0
    const own = [...running].filter(entry => entry.caller === caller && entry.ending !== true)
    const taken = own.reduce((sum, entry) => sum + entry.places, 0)
    return this.waitMs(before.filter(entry => entry.caller === caller), places, { places: maxPlaces, taken, running: own, company }, atMs)
  }

  /** Milliseconds that a running call is expected to hold its places still; undefined before any call ended. */
  leftMs (entry: Running | undefined, places: number, atMs: number): number | undefined {
    if (entry === undefined) return undefined
    const ranMs = atMs - entry.startedAtMs - (entry.pausedMs ?? 0)
    if (entry.leftAtMs !== undefined) {
      // llama-server notices at the end of the batch that it works on: of the prefill, or of a step that is over soon.
      const prefillMs = entry.firstByteAtMs === undefined ? this.#costs.firstByteMs(entry.work, entry.company, atMs) : 0
      return Math.max(prefillMs - ranMs, atMs - entry.leftAtMs)
    }
    const leftMs = this.#costs.leftMs(entry.work, places, ranMs)
    if (leftMs !== undefined) return leftMs
    const { serviceMs } = this.#pace
    return serviceMs === undefined ? undefined : Math.abs(serviceMs - ranMs)
  }
}
