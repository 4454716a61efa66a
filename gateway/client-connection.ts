import type { ServerResponse } from 'node:http'
import type { Clock } from '../policies/contract.js'
import { LeaveSignal } from '../policies/leave-signal.js'

const ignore = (): void => {}

/**
 * The waiting client. It left when its connection closed before the response was written out; Fastify's own hooks and
 * signal do not say that (T2, T3). Half a close counts as leaving: a client that ends its sending cannot be told from one that ends.
 */
export class ClientConnection {
  readonly res: ServerResponse
  readonly signal = new LeaveSignal()
  /** Settles when the response was written out or the connection closed. */
  readonly closed: Promise<void>
  #leftAtMs: number | undefined

  constructor (res: ServerResponse, clock: Pick<Clock, 'nowMs'>) {
    this.res = res
    // Writing to a connection that the client closed is not a fault.
    res.on('error', ignore)
    this.closed = new Promise(resolve => {
      onceClosed(res, () => {
        if (!res.writableFinished) {
          this.#leftAtMs = clock.nowMs()
          this.signal.abort()
        }
        resolve()
      })
    })
  }

  get open (): boolean {
    return !this.left && !this.res.destroyed
  }

  get left (): boolean {
    return this.#leftAtMs !== undefined
  }

  /** When its connection closed; undefined when it did not leave. */
  get leftAtMs (): number | undefined {
    return this.#leftAtMs
  }
}

/**
 * Calls back once, when the response was written out or its connection closed. Node does not tell the latter to a response that
 * waits behind another one of its connection (pipelining).
 */
export function onceClosed (res: ServerResponse, callback: () => void): void {
  if (res.destroyed) return callback()
  if (res.socket !== null) {
    res.once('close', callback)
    return
  }
  const { socket } = res.req
  const onClose = (): void => {
    socket.off('close', onClose)
    res.off('close', onClose)
    callback()
  }
  // As many as the client sends at once; the default warns of a leak from 11.
  socket.setMaxListeners(0)
  socket.once('close', onClose)
  res.once('close', onClose)
}
