import { BrokenOff } from './broken-off.js'
import { RelayBody, type Sink } from './relay-body.js'

/** How a body came to an end for one of its readers. */
export type SeatEnd = 'whole' | 'cut' | 'too slow'

/** One reader of a body that several read. */
export interface Seat {
  readonly body: RelayBody
  /** That it got so far. */
  readonly bytes: number
  /** Takes no more bytes; `ended` is not told. */
  leave (): void
}

interface Reader extends Seat {
  /** The next chunk that it gets, counted from the first one of all. */
  next: number
  bytes: number
  full: boolean
  readonly ended: (how: SeatEnd) => void
}

export interface FanOutOptions {
  /** Most bytes kept for readers that come later or read slower, and so the most that one may be behind. */
  readonly maxBytes: number
  readonly onFirstByte: () => void
}

/**
 * One body for several readers, each at its own pace: who comes late gets what was sent so far and then the rest as it comes. Every chunk is kept once, whoever still
 * needs it, so a slow reader costs no memory of its own. When more than `maxBytes` are kept, the oldest go: from then on nobody can join, and who still needed them is
 * cut off. Upstream is paused only while all readers are full, as it would be for one.
 */
export class FanOut implements Sink {
  readonly #source: RelayBody
  readonly #options: FanOutOptions
  readonly #readers = new Set<Reader>()
  readonly #chunks: Buffer[] = []
  /** Chunks that went before the first one in `#chunks`. */
  #dropped = 0
  #bytes = 0
  #paused = false
  #end: 'open' | 'ended' | Error = 'open'

  constructor (source: RelayBody, options: FanOutOptions) {
    this.#source = source
    this.#options = options
  }

  /** Begins to take the source's bytes. */
  start (): void {
    this.#source.relayTo(this)
  }

  /** All of it is still there for one more. */
  get joinable (): boolean { return this.#dropped === 0 }

  /** What a new reader gets at once. */
  get sentBytes (): number { return this.#bytes }

  /** @param ended told once, when this reader has all, or will not get it */
  join (ended: (how: SeatEnd) => void): Seat {
    const reader: Reader = {
      body: new RelayBody(() => { this.#resume(reader) }),
      leave: () => { this.#part(reader) },
      next: 0,
      bytes: 0,
      full: false,
      ended
    }
    this.#readers.add(reader)
    this.#pump(reader)
    return reader
  }

  write (chunk: Buffer): boolean {
    if (this.#dropped + this.#chunks.length === 0) this.#options.onFirstByte()
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    for (const reader of this.#readers) this.#pump(reader)
    this.#trim()
    this.#paused = !this.#hasRoom
    return !this.#paused
  }

  end (): void {
    this.#end = 'ended'
    for (const reader of this.#readers) this.#pump(reader)
  }

  cut (error: Error): void {
    this.#end = error
    for (const reader of this.#readers) this.#pump(reader)
  }

  get #hasRoom (): boolean {
    if (this.#readers.size === 0) return true
    for (const reader of this.#readers) if (!reader.full) return true
    return false
  }

  #resume (reader: Reader): void {
    reader.full = false
    this.#pump(reader)
    this.#goOn()
  }

  #goOn (): void {
    if (!this.#paused || !this.#hasRoom || this.#end !== 'open') return
    this.#paused = false
    this.#source.resumeRelay()
  }

  #part (reader: Reader): void {
    // The one that left may have been the only one with room, or the last that needed the oldest chunks: neither is a reason to stop.
    if (this.#readers.delete(reader)) this.#goOn()
  }

  #pump (reader: Reader): void {
    while (!reader.full) {
      const chunk = this.#chunks[reader.next - this.#dropped]
      if (chunk === undefined) break
      reader.next++
      reader.bytes += chunk.length
      reader.full = !reader.body.deliver(chunk)
    }
    // What broke off ends for all at once, for those who are behind at the same place.
    if (this.#end === 'open' || reader.next < this.#dropped + this.#chunks.length || !this.#readers.delete(reader)) return
    if (this.#end === 'ended') reader.body.finish()
    else reader.body.fail(this.#end)
    reader.ended(this.#end === 'ended' ? 'whole' : 'cut')
  }

  #trim (): void {
    while (this.#bytes > this.#options.maxBytes) {
      const behind = [...this.#readers].filter(reader => reader.next <= this.#dropped)
      // Nobody is ahead of them: upstream is paused instead.
      if (behind.length > 0 && behind.length === this.#readers.size) return
      for (const reader of behind) this.#cutOff(reader)
      this.#bytes -= this.#chunks.shift()?.length ?? 0
      this.#dropped++
    }
  }

  #cutOff (reader: Reader): void {
    this.#readers.delete(reader)
    reader.body.fail(new BrokenOff(`this answer is shared with calls that read it faster, and this one fell more than ${this.#options.maxBytes} bytes behind (single-flight.maxBehindBytes)`, 503, 'slow-reader'))
    reader.ended('too slow')
  }
}
