import type { CallSignal } from './contract.js'

/** Says once that the client left. Its listeners are a list: an AbortController with an EventTarget for each call was a tenth of the gateway's work. */
export class LeaveSignal implements CallSignal {
  #listeners: Array<() => void> = []
  #reason: Error | undefined

  get aborted (): boolean {
    return this.#reason !== undefined
  }

  get reason (): Error | undefined {
    return this.#reason
  }

  throwIfAborted (): void {
    if (this.#reason !== undefined) throw this.#reason
  }

  addEventListener (_type: 'abort', listener: () => void): void {
    if (!this.#listeners.includes(listener)) this.#listeners.push(listener)
  }

  removeEventListener (_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener)
    if (at >= 0) this.#listeners.splice(at, 1)
  }

  /** Tells everybody who listens now; a second time does nothing. */
  abort (): void {
    if (this.#reason !== undefined) return
    this.#reason = new DOMException('the client left', 'AbortError')
    const listeners = this.#listeners
    this.#listeners = []
    for (const listener of listeners) listener()
  }
}
