import type { BackendLoad, Clock, PolicyLogger } from '../policies/contract.js'

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
  /** Its slot started: llama-server sends a stream's headers just then (L12). */
  started: boolean
}

interface Zombie extends Holding {
  readonly sinceMs: number
  readonly free: () => void
  readonly timer: unknown
}

export interface ReleaseOptions {
  readonly clock: Clock
  readonly reader: LoadReader
  readonly log: PolicyLogger
  /** After this long without a confirmation a place counts as free, milliseconds: others may use the same server. */
  readonly fallbackMs: number
}

/** A call sent this shortly before a reading may not be counted in it yet, unless its headers say so, milliseconds. */
const settlingMs = 100

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
  start (places: number): Holding {
    const holding = { places, sentAtMs: this.#options.clock.nowMs(), started: false }
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
      const zombie: Zombie = { ...holding, sinceMs: clock.nowMs(), free: resolve, timer }
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

  /** Place-seconds that calls kept after nobody waited for them. */
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
      while (this.#zombies.length > 0) this.#apply(await this.#options.reader.readLoad())
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
      if (holding.started || holding.sentAtMs < reading.askedAtMs - settlingMs) accounted += holding.places
    }
    // What is processed beyond our running calls belongs to zombies; which of them does not matter, a place is a place.
    let stillTaken = Math.max(0, reading.processing - accounted)
    const seen = this.#zombies.filter(zombie => zombie.sinceMs <= reading.askedAtMs)
    for (const zombie of seen.reverse()) {
      if (stillTaken > 0) stillTaken -= zombie.places
      else this.#free(zombie)
    }
  }

  #free (zombie: Zombie): void {
    const at = this.#zombies.indexOf(zombie)
    if (at < 0) return
    this.#zombies.splice(at, 1)
    this.#options.clock.clearTimeout(zombie.timer)
    this.#wastedMs += (this.#options.clock.nowMs() - zombie.sinceMs) * zombie.places
    zombie.free()
  }
}
