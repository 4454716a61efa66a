import type { BackendLoad } from '../policies/backend-port.js'
import type { Clock, PolicyLogger } from '../policies/contract.js'

/** What is read to learn whether llama-server let go of the calls that nobody waits for (L7). */
export interface LoadReader {
  /**
   * Slots that process something, read by a request that was sent after this call of `readLoad`, at most one reading
   * in two seconds (L8). `gone`: nothing listens there any more; `no answer`: not this
   * time, a long batch may be in the way (L10). Rejects when this server cannot be read at all.
   */
  readLoad (): Promise<LoadReading | 'gone' | 'no answer'>
}

export interface LoadReading extends BackendLoad {
  /** Monotonic milliseconds when the reading was asked for. */
  readonly askedAtMs: number
}

/** One call that upstream was sent. */
export interface Holding {
  readonly places: number
  readonly sentAtMs: number
  /** A stream's slot started: llama-server sends its headers just then (L12). Of other answers headers come with the end. */
  readonly stream: boolean
  startedAtMs?: number
}

interface Zombie extends Holding {
  readonly sinceMs: number
  /** Until then it was at work for sure: it was broken off, or seen by a reading. */
  busyUntilMs: number
  readonly free: () => void
  readonly timer: unknown
}

export interface ReleaseOptions {
  readonly clock: Clock
  readonly reader: LoadReader
  readonly log: PolicyLogger
  /** After this long without a confirmation a place counts as free, milliseconds: others may use the same server. */
  readonly fallbackMs: number
  /** From the leaving of a client to the first reading for its call, milliseconds: llama-server notices it within a second (L8). */
  readonly firstLookMs: number
}

/**
 * A reading goes before calls that wait for the end of a batch: a stream whose slot did not start clearly before it, milliseconds, is not counted in it, whenever it was sent.
 * One that is counted and not yet known to be keeps a place for one reading longer; the other way round it would be given away while it is taken.
 */
const settlingMs = { started: 20, sent: 100 }

/**
 * Knows which places of llama-server are taken by calls that run, and by calls that were broken off and still compute.
 * A broken-off call is confirmed free when llama-server processes no more than our other running calls account for.
 */
export class Releases {
  readonly #options: ReleaseOptions
  readonly #running = new Set<Holding>()
  readonly #zombies: Zombie[] = []
  #reading = false
  #wastedMs = 0

  constructor (options: ReleaseOptions) {
    this.#options = options
  }

  /** A call goes to upstream. */
  start (places: number, stream: boolean): Holding {
    const holding = { places, stream, sentAtMs: this.#options.clock.nowMs() }
    this.#running.add(holding)
    return holding
  }

  /** The answer came to its end: its slot is free. */
  end (holding: Holding): void {
    this.#running.delete(holding)
  }

  /** The answer was broken off. Settles when upstream is confirmed to be free of it. */
  abandon (holding: Holding): Promise<void> {
    this.#running.delete(holding)
    const { clock, fallbackMs, log } = this.#options
    return new Promise(resolve => {
      const timer = clock.setTimeout(() => {
        log.warn({ places: holding.places, fallbackMs }, 'a broken-off call was not confirmed to be over; its place is given back by the time limit')
        this.#free(zombie)
      }, fallbackMs)
      const sinceMs = clock.nowMs()
      const zombie: Zombie = { ...holding, sinceMs, busyUntilMs: sinceMs, free: resolve, timer }
      this.#zombies.push(zombie)
      this.#watch().catch(() => {})
    })
  }

  /** Calls that run now. */
  get running (): number {
    return this.#running.size
  }

  /** Places still taken by calls that nobody waits for. */
  get zombiePlaces (): number {
    return this.#zombies.reduce((sum, zombie) => sum + zombie.places, 0)
  }

  /**
   * Place-seconds that calls kept after nobody waited for them. Readings are two seconds apart and a call ends somewhere between the last one that saw it and the first
   * that did not: it counts as ended halfway, since its place is given back later than it was free.
   */
  get wastedSeconds (): number {
    return this.#wastedMs / 1e3
  }

  /** Gives every place back: the gateway ends. */
  close (): void {
    for (const zombie of [...this.#zombies]) this.#free(zombie)
  }

  async #watch (): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      while (this.#zombies.length > 0) {
        const leftMs = this.#firstLookAtMs - this.#options.clock.nowMs()
        if (leftMs > 0) await new Promise<void>(resolve => { this.#options.clock.setTimeout(resolve, leftMs) })
        this.#apply(await this.#options.reader.readLoad())
      }
    } catch {
      // Not readable on this server: the time limit of each zombie decides.
    } finally {
      this.#reading = false
    }
  }

  #apply (reading: LoadReading | 'gone' | 'no answer'): void {
    if (reading === 'gone') return this.close()
    if (reading === 'no answer') return
    if (reading.deferred > 0) return
    let accounted = 0
    for (const holding of this.#running) {
      if (isIn(reading, holding)) accounted += holding.places
    }
    // What is processed beyond our running calls belongs to zombies; which of them does not matter, a place is a place.
    let stillTaken = Math.max(0, reading.processing - accounted)
    const seen = this.#zombies.filter(zombie => zombie.sinceMs <= reading.askedAtMs)
    for (const zombie of seen.reverse()) {
      if (stillTaken > 0) {
        stillTaken -= zombie.places
        zombie.busyUntilMs = reading.atMs
      } else {
        this.#free(zombie, (zombie.busyUntilMs + reading.atMs) / 2)
      }
    }
  }

  /** When the next reading is of use: just after it was left a call is at work for sure, and a reading then would put the next one two seconds away. */
  get #firstLookAtMs (): number {
    return Math.min(...this.#zombies.map(({ sinceMs, busyUntilMs }) => busyUntilMs === sinceMs ? sinceMs + this.#options.firstLookMs : 0))
  }

  #free (zombie: Zombie, endedAtMs = this.#options.clock.nowMs()): void {
    const at = this.#zombies.indexOf(zombie)
    if (at < 0) return
    this.#zombies.splice(at, 1)
    this.#options.clock.clearTimeout(zombie.timer)
    this.#wastedMs += (endedAtMs - zombie.sinceMs) * zombie.places
    zombie.free()
  }
}

/** Whether a reading counts this running call. */
function isIn ({ askedAtMs, atMs }: LoadReading, { stream, sentAtMs, startedAtMs }: Holding): boolean {
  return stream ? startedAtMs !== undefined && startedAtMs <= atMs - settlingMs.started : sentAtMs < askedAtMs - settlingMs.sent
}
