import { PassThrough, Readable } from 'node:stream'
import type { OwnAnswer } from './answers.js'
import { BrokenOff } from './broken-off.js'
import type { Answer, Outcome } from './contract.js'
import { deferred } from './deferred.js'

/**
 * A stream that is answered before its turn: 200 at once, then SSE comments that say where the call stands (clients and proxies pass over them, WHATWG HTML, 9.2.6), and
 * what upstream answers behind them. From the 200 on a refusal can only be an error event.
 */
export class QueueNotice {
  readonly #body = new PassThrough()
  readonly #over = deferred<Outcome>()
  readonly #released = deferred<void>()
  #bytes = 0

  readonly answer: Answer = {
    status: 200,
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
    body: this.#body,
    over: this.#over.promise,
    released: this.#released.promise
  }

  /** @param position 1: the next one */
  say (position: number, waitMs: number): void {
    this.#write(`: queued position=${position} eta=${Math.ceil(waitMs / 1000)}s\n\n`)
  }

  /** Its turn came. */
  follow (answer: Answer): void {
    const { status, body } = answer
    if (status !== 200) {
      this.#end(new BrokenOff(messageIn(body) ?? `llama-server answered ${status}`, status, answer.reason ?? 'upstream-error'))
      answer.released.then(() => { this.#released.resolve() })
      return
    }
    answer.over.then(outcome => { this.#over.resolve({ ...outcome, bytes: outcome.bytes + this.#bytes }) })
    answer.released.then(() => { this.#released.resolve() })
    if (body instanceof Readable) {
      body.on('error', error => { this.#body.destroy(error) })
      body.pipe(this.#body)
    } else {
      this.#body.end(body)
    }
  }

  /** It was refused while it waited. */
  refuse (refused: OwnAnswer): void {
    this.#end(new BrokenOff(messageIn(refused.body) ?? 'refused', refused.status, refused.reason ?? 'refused'))
    this.#released.resolve()
  }

  /** Its client left, or upstream was lost before it answered: nobody reads a word of why. */
  abandon (how: 'left' | 'fault', released: Promise<void>): void {
    this.#over.resolve({ how, bytes: this.#bytes })
    this.#body.destroy(how === 'left' ? undefined : new Error('llama-server gave no answer'))
    released.then(() => { this.#released.resolve() })
  }

  #end (why: BrokenOff): void {
    this.#over.resolve({ how: 'cut', bytes: this.#bytes, reason: why.reason })
    this.#body.destroy(why)
  }

  #write (text: string): void {
    this.#bytes += Buffer.byteLength(text)
    this.#body.write(text)
  }
}

/** Of an error in llama-server's shape. */
function messageIn (body: Answer['body']): string | undefined {
  if (!(body instanceof Buffer)) return undefined
  try {
    const message: unknown = Reflect.get(Object(Reflect.get(Object(JSON.parse(body.toString())), 'error')), 'message')
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}
