import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'

export class BodyTooLarge extends Error {}

/** A request body on its way through that fails beyond its limit: one in chunks has no length that could be looked at before. */
export class LimitedBody extends Transform {
  readonly #limitBytes: number
  #bytes = 0

  constructor (limitBytes: number) {
    super()
    this.#limitBytes = limitBytes
  }

  override _transform (chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#bytes += chunk.length
    if (this.#bytes > this.#limitBytes) done(new BodyTooLarge(`more than ${this.#limitBytes} bytes`))
    else done(null, chunk)
  }
}
