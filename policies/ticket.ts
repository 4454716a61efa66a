import type { OwnAnswer } from './answers.js'
import type { Answer, Call, Next } from './contract.js'
import { deferred } from './deferred.js'
import { QueueNotice } from './queue-notice.js'
import type { StartEffect } from './schedule-events.js'
import { Turn } from './turn.js'
import type { LongPrompt } from './prompt-feeder.js'

/** One call in admission, between its arrival and the return of its places. */
export class Ticket {
  readonly #answered = deferred<Answer>()
  #notice: QueueNotice | undefined
  /** p-queue's signal, of a call that has to wait. Aborted only while it waits: p-queue would let go of the place of a running task, too. */
  waiting?: AbortController
  /** When its patience ends, and when it is told next where it stands. */
  timer?: unknown
  noticeTimer?: unknown
  /** Of a call whose prompt is fed in chunks. */
  readonly turn = new Turn()
  /** Set once it may run. */
  start?: StartEffect

  /**
   * @param queued calls that waited when it arrived
   * @param prompt where it is long
   */
  constructor (readonly id: string, readonly call: Call, readonly next: Next, readonly queued: number, readonly onLeave: () => void, readonly prompt?: LongPrompt) {}

  /** What its caller gets: the answer, or, when it was told of its wait, the stream that will be it. */
  get answered (): Promise<Answer> {
    return this.#answered.promise
  }

  /** Tells its client where it stands; the first time answers it with 200. */
  notify (position: number, waitMs: number): void {
    if (this.#notice === undefined) {
      this.#notice = new QueueNotice()
      this.#answered.resolve(this.#notice.answer)
    }
    this.#notice.say(position, waitMs)
  }

  answer (answer: Answer): void {
    if (this.#notice === undefined) this.#answered.resolve(answer)
    else this.#notice.follow(answer)
  }

  refuse (refused: OwnAnswer): void {
    if (this.#notice === undefined) this.#answered.resolve(refused)
    else this.#notice.refuse(refused)
  }

  /** There is no answer. @param released when upstream is free of it */
  fail (error: unknown, released: Promise<void> = Promise.resolve()): void {
    if (this.#notice === undefined) this.#answered.reject(error)
    else this.#notice.abandon(this.call.signal.aborted ? 'left' : 'fault', released)
  }

  /** Why it goes to upstream now, and how its prompt does where that is long. */
  get reason (): string {
    const { start, prompt } = this
    const reason = (start?.queueWaitMs ?? 0) === 0 ? 'place free' : 'its turn'
    if (prompt === undefined) return reason
    if (start?.feeds !== undefined) return `${reason}, prompt in chunks`
    return `${reason}, whole prompt: ${prompt.whole ?? 'no slot of its own'}`
  }

  /** For the record: what was decided, and what was predicted when it arrived. */
  get facts (): Record<string, number> {
    const { queued, start, prompt } = this
    if (start === undefined) return { queued }
    const { queueWaitMs, predictedWaitMs, predictedTtftMs, predictedTtftLowMs, predictedTtftHighMs, predictedFinishMs, places, slot, overlaps, predictedCachedTokens } = start
    return {
      queueWaitMs,
      queued,
      predictedWaitMs,
      predictedTtftMs,
      ...(predictedTtftLowMs === undefined || predictedTtftHighMs === undefined ? {} : { predictedTtftLowMs, predictedTtftHighMs }),
      predictedFinishMs,
      places,
      ...(slot === undefined ? {} : { slot }),
      ...(overlaps === undefined ? {} : { overlaps }),
      ...(predictedCachedTokens === undefined ? {} : { predictedCachedTokens }),
      ...(prompt?.wouldTakeChunks === undefined ? {} : { wouldTakeChunks: prompt.wouldTakeChunks })
    }
  }
}
