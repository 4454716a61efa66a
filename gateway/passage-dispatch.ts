import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { BodyTooLarge } from './limited-body.js'
import type { Passage } from './passage.js'

/** Tells the dispatcher which passage a request belongs to: the proxy lets nothing but headers through to it. Never sent. */
export const passageHeader = 'x-weir-passage'

/** Makes a dispatcher tell each passage what comes back, and end its request when the client left, which the proxy does not do (T1). */
export function watchingPassages (passages: ReadonlyMap<string, Passage>): Dispatcher.DispatcherComposeInterceptor {
  return dispatch => (options, handler) => {
    const headers: Record<string, unknown> = { ...Object(options.headers) }
    const passage = passages.get(String(headers[passageHeader]))
    delete headers[passageHeader]
    return dispatch({ ...options, headers: headers as IncomingHttpHeaders }, passage === undefined ? handler : new Watched(handler, passage))
  }
}

/** The proxy's handler, with the passage told of each step. */
class Watched implements Dispatcher.DispatchHandler {
  readonly #handler: Dispatcher.DispatchHandler
  readonly #passage: Passage
  #unwatch = (): void => {}

  constructor (handler: Dispatcher.DispatchHandler, passage: Passage) {
    this.#handler = handler
    this.#passage = passage
  }

  onRequestStart (controller: Dispatcher.DispatchController, context: unknown): void {
    const { signal } = this.#passage
    const abort = (): void => { controller.abort(new Error('the client left')) }
    this.#handler.onRequestStart?.(controller, context)
    // It may start again: a request that was never written goes to another connection.
    this.#unwatch()
    signal.addEventListener('abort', abort, { once: true })
    this.#unwatch = () => { signal.removeEventListener('abort', abort) }
    if (signal.aborted) abort()
  }

  onResponseStart (controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders, statusText?: string): void {
    if (status >= 200) this.#passage.upstreamAnswered()
    this.#handler.onResponseStart?.(controller, status, headers, statusText)
  }

  onResponseData (controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#passage.sent(chunk.length)
    this.#handler.onResponseData?.(controller, chunk)
  }

  onResponseEnd (controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    this.#unwatch()
    this.#handler.onResponseEnd?.(controller, trailers)
  }

  onResponseError (controller: Dispatcher.DispatchController, error: Error): void {
    this.#unwatch()
    if (!(error instanceof BodyTooLarge)) this.#passage.upstreamBroke()
    this.#handler.onResponseError?.(controller, error)
  }
}
