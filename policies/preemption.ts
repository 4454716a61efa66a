import type { CostModel, Work } from './cost-model.js'
import { LongPrefills, type ChunkEffect, type LongPrefillOptions } from './long-prefills.js'
import { companyBeside } from './prefill-turn.js'
import type { Newcomer, Running } from './schedule-entry.js'

/** Preemptible prefill as the schedule sees it: with what calls cost, and where it is not asked for, nothing. */
export class Preemption {
  readonly #costs: CostModel
  readonly #long: LongPrefills | undefined

  /** @param options absent: every prompt goes whole */
  constructor (costs: CostModel, options: LongPrefillOptions | undefined) {
    this.#costs = costs
    this.#long = options === undefined ? undefined : new LongPrefills(options)
  }

  /** When a chunk may go although nothing happens, or this, if it is sooner; undefined when neither is. */
  wakeAtMs (otherMs?: number): number | undefined {
    const wakeAtMs = Math.min(otherMs ?? Infinity, this.#long?.wakeAtMs ?? Infinity)
    return wakeAtMs === Infinity ? undefined : wakeAtMs
  }

  /** Long prompts under way, and tokens of a chunk now. */
  gauges (atMs: number): Readonly<Record<string, number>> {
    return { feeding: this.#long?.size ?? 0, chunkTokens: this.chunkTokens(atMs) }
  }

  /** Called before anything else of an event. */
  advance (atMs: number): void {
    this.#long?.expire(this.#costs.leastMsPerPromptToken(atMs), atMs)
  }

  chunkTokens (atMs: number): number {
    return this.#long?.chunkTokens(this.#costs.leastMsPerPromptToken(atMs)) ?? 0
  }

  /** Whether its prompt, counted or estimated, is long enough to be fed in chunks, and there is a place for others beside it. */
  isLong (work: Work, places: number, atMs: number): boolean {
    return places > 1 && this.#long?.isLong(this.#costs.promptTokens(work), this.#costs.leastMsPerPromptToken(atMs)) === true
  }

  /** A long prompt waits for those that are being fed, without keeping others from their places. */
  hasLane ({ long, prefillTokens }: Newcomer, places: number): boolean {
    return !long || this.#long?.mayStart(prefillTokens, places) !== false
  }

  /** Milliseconds until the long prompts that run, and those of the line before this one, are evaluated; 0 for one that need not wait for them. */
  laneMs (line: readonly Newcomer[], own: Newcomer, places: number, atMs: number): number {
    if (this.#long === undefined || this.hasLane(own, places)) return 0
    const waiting = line.slice(0, line.indexOf(own)).reduce((sum, { long, prefillTokens }) => long ? sum + prefillTokens : sum, 0)
    return (waiting + this.#long.leftTokens) * this.#costs.leastMsPerPromptToken(atMs) * this.#long.stretch
  }

  /** Milliseconds from its start to its first byte: a prompt that is fed in chunks stands still between them. */
  firstByteMs ({ work, long }: Newcomer, company: number, atMs: number): number {
    return this.#costs.firstByteMs(work, company, atMs) * (long ? this.#long?.stretch ?? 1 : 1)
  }

  /**
   * @param cachedTokens of its prompt that the slot is sure to hold
   * @returns whether it is fed in chunks: only into a slot that it is sure to keep
   */
  start ({ id, long, work }: Newcomer, slot: number | undefined, cachedTokens: number, atMs: number): boolean {
    if (this.#long === undefined || !long || slot === undefined) return false
    this.#long.start(id, this.#costs.promptTokens(work), cachedTokens, atMs)
    return true
  }

  chunkOver (id: string, evaluatedTokens: number, tookMs: number, atMs: number): void {
    this.#long?.chunkOver(id, evaluatedTokens, tookMs, atMs)
  }

  end (id: string, atMs: number, how: 'first-byte' | 'other'): void {
    this.#long?.end(id, atMs, how)
  }

  /** The next chunk, if one may go. */
  next (running: ReadonlyMap<string, Running>, atMs: number): readonly ChunkEffect[] {
    if (this.#long === undefined) return []
    const chunk = this.#long.next(companyBeside(running.values(), this.#long, this.#costs, atMs), this.#costs.leastMsPerPromptToken(atMs), atMs)
    if (chunk === undefined) return []
    const fed = running.get(chunk.id)
    if (fed !== undefined) fed.pausedMs = chunk.pausedMs
    return [chunk]
  }
}
