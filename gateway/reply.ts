import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { BrokenOff } from '../policies/broken-off.js'
import type { Answer } from '../policies/contract.js'
import { RelayBody } from '../policies/relay-body.js'
import type { Sink } from '../policies/relay-body.js'
import type { StreamEnd } from './routes.js'
import { streamErrorEvent } from './stream-error.js'

/**
 * Writes an answer to the client. A stream that upstream did not finish ends with an error event and a broken
 * connection, any other answer with a broken connection: what is cut never looks complete.
 */
export function writeAnswer (res: ServerResponse, answer: Answer, extra: Readonly<Record<string, string>>, end: StreamEnd): void {
  const headers: Record<string, string | string[]> = { ...answer.headers, ...extra }
  const { body } = answer
  const whole = body instanceof RelayBody ? body.takeWhole() : body instanceof Buffer ? body : undefined
  if (whole !== undefined) {
    headers['content-length'] = String(whole.length)
    res.writeHead(answer.status, headers)
    // As a string it goes out in one piece with the headers.
    if (whole.length <= stringBytes) res.end(whole.toString('latin1'), 'latin1')
    else res.end(whole)
    return
  }
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
  res.writeHead(answer.status, headers)
  // Node keeps headers back until the first chunk (T16), which comes only after the prefill.
  if (isStream) res.flushHeaders()
  const sink = new ClientSink(res, isStream ? end : undefined)
  if (body instanceof RelayBody && body.relayTo(sink)) {
    res.on('drain', () => { body.resumeRelay() })
  } else if (body instanceof Readable) {
    body.on('data', (chunk: Buffer) => { if (!sink.write(chunk)) body.pause() })
    body.on('end', () => { sink.end() })
    body.on('error', error => { sink.cut(error) })
    res.on('drain', () => { body.resume() })
  }
}

/** Above it a copy costs more than a second piece. */
const stringBytes = 16 * 1024

/** The client's connection as the place that an answer is relayed to. */
class ClientSink implements Sink {
  readonly #res: ServerResponse
  /** Absent: the answer is not an event stream. */
  readonly #end: StreamEnd | undefined

  constructor (res: ServerResponse, end: StreamEnd | undefined) {
    this.#res = res
    this.#end = end
  }

  write (chunk: Buffer): boolean {
    return this.#res.destroyed || this.#res.write(chunk)
  }

  end (): void {
    this.#res.end()
  }

  cut (error: Error): void {
    const res = this.#res
    if (res.destroyed) return
    if (this.#end === undefined) {
      res.destroy()
      return
    }
    const event = error instanceof BrokenOff
      ? streamErrorEvent(this.#end, error.status, error.message, error.reason)
      : streamErrorEvent(this.#end, 502, `llama-server broke off in the middle of the answer (${error.message}); what came before is incomplete`)
    res.write(event, () => { res.destroy() })
  }
}
