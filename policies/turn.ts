import type { CallSignal } from './contract.js'
import { deferred, type Deferred } from './deferred.js'
import type { ChunkEffect } from './long-prefills.js'

/** Where a call waits for the schedule to say that its next chunk may go; one at a time, said before or after it is asked for. */
export class Turn {
  #granted: ChunkEffect | undefined
  #waiting: Deferred<ChunkEffect> | undefined

  grant (chunk: ChunkEffect): void {
    if (this.#waiting === undefined) this.#granted = chunk
    else this.#waiting.resolve(chunk)
    this.#waiting = undefined
  }

  /** Rejects with the signal's reason when the client leaves meanwhile. */
  async next (signal: CallSignal): Promise<ChunkEffect> {
    signal.throwIfAborted()
    const granted = this.#granted
    this.#granted = undefined
    if (granted !== undefined) return granted
    const waiting = this.#waiting = deferred<ChunkEffect>()
    const onLeave = (): void => { waiting.reject(signal.reason) }
    signal.addEventListener('abort', onLeave, { once: true })
    try {
      return await waiting.promise
    } finally {
      signal.removeEventListener('abort', onLeave)
    }
  }
}
