import { ChunkSize } from './chunk-size.js'
import { chunkDueAtMs, type Company, type LastChunk, type TurnOptions } from './prefill-turn.js'

export interface LongPrefillOptions extends TurnOptions {
  /** How long a chunk may take, milliseconds: what others are late at most. */
  readonly chunkMs: number
}

/** The next chunk of a prompt may go. */
export interface ChunkEffect {
  readonly type: 'chunk'
  readonly id: string
  /** Tokens of the prompt that are to be in the slot then. */
  readonly toTokens: number
  /** Milliseconds that the prompt stood still until now, for others. */
  readonly pausedMs: number
  /** The rest is no more than a chunk: the call itself may go. */
  readonly last: boolean
}

/** A prompt that is fed in chunks. */
interface Feeding {
  readonly tokens: number
  readonly startedAtMs: number
  fedTokens: number
  /** Since when it stands still; absent while a chunk of it is at upstream. */
  pausedSinceMs: number | undefined
  pausedMs: number
  /** Of the chunk at upstream: when it went, and how far it goes. */
  sentAtMs: number
  toTokens: number
}

/** A prompt up to so much longer than a chunk goes whole: it would be over in one more. */
const LONG_CHUNKS = 1.5
/** A last chunk takes so much more of the prompt with it, as a share of a chunk: a rest of a few tokens is worth no turn of its own. */
const REST_SHARE = 1 / 4
/** A call's last chunk, whose end is not told where the answer is not streamed, counts as over after so much longer than predicted. */
const LATE = 1.5
/** Least weight of the newest call in the stretch; before that it is a plain mean, so that the first calls soon replace the guess. */
const NEWEST = 1 / 8

/** The strategy of preemptible prefill in the schedule: which long prompts are under way, and when the next chunk of which one may go. One chunk is at upstream at a time. */
export class LongPrefills {
  readonly #options: LongPrefillOptions
  readonly #size: ChunkSize
  readonly #feeding = new Map<string, Feeding>()
  #last: LastChunk | undefined
  #stretch: number
  #stretches = 0
  /** When the next chunk may go although nothing happens; Infinity when none waits. */
  wakeAtMs = Infinity

  constructor (options: LongPrefillOptions) {
    this.#options = options
    this.#size = new ChunkSize(options.chunkMs)
    this.#stretch = 1 / options.share
  }

  /** @param guessMsPerToken what prompts cost so far; 0 when nothing is known */
  chunkTokens (guessMsPerToken: number): number {
    return this.#size.tokens(guessMsPerToken)
  }

  isLong (tokens: number, guessMsPerToken: number): boolean {
    return tokens > LONG_CHUNKS * this.chunkTokens(guessMsPerToken)
  }

  /** Prompts under way. */
  get size (): number { return this.#feeding.size }

  /** Time from start to first token ÷ time that its chunks took, of those so far. */
  get stretch (): number { return this.#stretch }

  /**
   * Whether one more long prompt may hold a place. Two that are half done keep two places for no gain, since upstream evaluates one after the other; so only one that is
   * shorter than the rest of each under way goes past them, and one place is left to calls that are short.
   */
  mayStart (tokens: number, places: number): boolean {
    if (this.#feeding.size === 0) return true
    if (this.#feeding.size >= places - 1) return false
    for (const feeding of this.#feeding.values()) if (tokens >= feeding.tokens - feeding.fedTokens) return false
    return true
  }

  /** @param cachedTokens that its slot is sure to hold: the first chunk begins there */
  start (id: string, tokens: number, cachedTokens: number, atMs: number): void {
    this.#feeding.set(id, { tokens, startedAtMs: atMs, fedTokens: Math.min(cachedTokens, tokens - 1), pausedSinceMs: atMs, pausedMs: 0, sentAtMs: atMs, toTokens: 0 })
  }

  /** Whether it is under way still. */
  has (id: string): boolean { return this.#feeding.has(id) }

  /** Tokens that are still to come of the prompts under way. */
  get leftTokens (): number {
    let sum = 0
    for (const { tokens, fedTokens } of this.#feeding.values()) sum += tokens - fedTokens
    return sum
  }

  /** A chunk is in the cache. @param tookMs upstream's own time for `evaluatedTokens` */
  chunkOver (id: string, evaluatedTokens: number, tookMs: number, atMs: number): void {
    const feeding = this.#feeding.get(id)
    if (feeding === undefined) return
    this.#size.sample(evaluatedTokens, tookMs)
    feeding.fedTokens = feeding.toTokens
    feeding.pausedSinceMs = atMs
    this.#last = { endedAtMs: atMs, tookMs: atMs - feeding.sentAtMs }
  }

  /** Its first token came, or it goes on whole, or it is gone. */
  end (id: string, atMs: number, how: 'first-byte' | 'other'): void {
    const feeding = this.#feeding.get(id)
    if (feeding === undefined) return
    this.#feeding.delete(id)
    if (feeding.pausedSinceMs === undefined) this.#last = { endedAtMs: atMs, tookMs: atMs - feeding.sentAtMs }
    const workedMs = atMs - feeding.startedAtMs - feeding.pausedMs
    if (how === 'first-byte' && workedMs > 0) this.#stretch += ((workedMs + feeding.pausedMs) / workedMs - this.#stretch) * Math.max(NEWEST, 1 / ++this.#stretches)
  }

  /** The chunk that may go now; at most one. */
  next (company: Company, guessMsPerToken: number, atMs: number): ChunkEffect | undefined {
    this.wakeAtMs = Infinity
    const [next] = this.#paused(atMs)
    const busy = [...this.#feeding.values()].find(feeding => feeding.pausedSinceMs === undefined)
    if (busy !== undefined && isLast(busy)) this.wakeAtMs = this.#lastUntilMs(busy, guessMsPerToken)
    if (next === undefined || busy !== undefined) return undefined
    const { id, feeding, sinceMs } = next
    const dueAtMs = chunkDueAtMs({ sinceMs }, this.#last, company, this.#options)
    if (dueAtMs > atMs) {
      this.wakeAtMs = dueAtMs
      return undefined
    }
    feeding.pausedMs += atMs - sinceMs
    feeding.pausedSinceMs = undefined
    feeding.sentAtMs = atMs
    const chunk = this.chunkTokens(guessMsPerToken)
    feeding.toTokens = feeding.tokens - feeding.fedTokens <= chunk * (1 + REST_SHARE) ? feeding.tokens : feeding.fedTokens + chunk
    if (isLast(feeding)) this.wakeAtMs = this.#lastUntilMs(feeding, guessMsPerToken)
    return { type: 'chunk', id, toTokens: feeding.toTokens, pausedMs: feeding.pausedMs, last: isLast(feeding) }
  }

  /** Who stands still: first who did so for the longest pause, then the one with the least to come. */
  #paused (atMs: number): Array<{ readonly id: string, readonly feeding: Feeding, readonly sinceMs: number }> {
    const paused = [...this.#feeding].flatMap(([id, feeding]) => feeding.pausedSinceMs === undefined ? [] : [{ id, feeding, sinceMs: feeding.pausedSinceMs }])
    const isOverdue = (sinceMs: number): boolean => atMs - sinceMs >= this.#options.maxPauseMs
    return paused.sort((a, b) => Number(isOverdue(b.sinceMs)) - Number(isOverdue(a.sinceMs)) ||
      (a.feeding.tokens - a.feeding.fedTokens) - (b.feeding.tokens - b.feeding.fedTokens))
  }

  #lastUntilMs ({ sentAtMs, toTokens, fedTokens }: Feeding, guessMsPerToken: number): number {
    return sentAtMs + LATE * Math.max(this.#options.chunkMs, (toTokens - fedTokens) * (this.#size.msPerToken ?? guessMsPerToken))
  }

  /** Lets go of a last chunk that must be over by now; called before anything else of this moment. */
  expire (guessMsPerToken: number, atMs: number): void {
    for (const [id, feeding] of this.#feeding) {
      if (feeding.pausedSinceMs === undefined && isLast(feeding) && atMs >= this.#lastUntilMs(feeding, guessMsPerToken)) this.end(id, atMs, 'other')
    }
  }
}

function isLast ({ toTokens, tokens }: Feeding): boolean {
  return toTokens === tokens
}
