import type { ServerResponse } from 'node:http'
import { LeaveSignal } from './leave-signal.js'

const ignore = (): void => {}

/**
 * The waiting client. It left when its connection closed before the response was written out; Fastify's own hooks and
 * signal do not say that (T2, T3).
 */
export class ClientConnection {
  readonly res: ServerResponse
  readonly signal = new LeaveSignal()
  /** Settles when the response was written out or the connection closed. */
  readonly closed: Promise<void>
  #left = false

  constructor (res: ServerResponse) {
    this.res = res
    // Writing to a connection that the client closed is not a fault.
    res.on('error', ignore)
    this.closed = new Promise(resolve => {
      const onClose = (): void => {
        if (!res.writableFinished) {
          this.#left = true
          this.signal.abort()
        }
        resolve()
      }
      if (res.destroyed) onClose()
      else res.once('close', onClose)
    })
  }

  get open (): boolean {
    return !this.res.destroyed
  }

  get left (): boolean {
    return this.#left
  }
}
