import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Answer, Call, Outcome } from '../policies/contract.js'
import { RelayBody } from '../policies/relay-body.js'
import type { Connection, Connections } from './connections.js'
import { headersToClient } from './headers.js'
import { LastToken } from './last-token.js'
import { nextLimit } from './limits.js'
import type { LimitReason } from './limits.js'
import { faultAnswer } from './refusal.js'
import type { Holding } from './release.js'
import { runawayAnswer, runawayAtMs, runawayCut } from './runaway.js'
import { streamEndOf } from './routes.js'
import type { StreamEnd } from './routes.js'
import { endNames, streamEnding } from './stream-end.js'
import { factsOfWhole, Tail } from './tail.js'
import type { TailFacts } from './tail.js'
import type { Trace } from './trace.js'
import type { UpstreamOptions } from './upstream.js'

interface Opened {
  readonly body: RelayBody
  readonly tail: Tail
  /** Absent where nobody asks for it, or it cannot be told. */
  readonly lastToken: LastToken | undefined
  /** How its stream must end; absent: no event stream of a generation. */
  readonly streamEnd: StreamEnd | undefined
  readonly over: (outcome: Outcome) => void
  readonly released: (done: Promise<void> | void) => void
}

/** A small answer on its way; the caller gets it at its end. */
interface Whole {
  readonly status: number
  readonly headers: Record<string, string | string[]>
  readonly chunks: Buffer[]
}

/** The way of one call to upstream and of its answer back; the handler that undici's parser calls directly. */
export class Trip implements Dispatcher.DispatchHandler {
  readonly #call: Call
  readonly #trace: Trace
  readonly #request: Dispatcher.DispatchOptions
  readonly #connections: Connections
  readonly #options: UpstreamOptions
  readonly #resolve: (answer: Answer) => void
  readonly #onAbort = (): void => { this.#breakOff('left') }
  #connection: Connection | undefined
  #controller: Dispatcher.DispatchController | undefined
  #holding: Holding | undefined
  #opened: Opened | undefined
  #whole: Whole | undefined
  #timer: unknown
  #done = false
  #bytes = 0
  #sentAtMs = 0
  #firstByteAtMs: number | undefined
  #lastByteAtMs: number | undefined

  constructor (call: Call, trace: Trace, request: Dispatcher.DispatchOptions, connections: Connections, options: UpstreamOptions, resolve: (answer: Answer) => void) {
    this.#call = call
    this.#trace = trace
    this.#request = request
    this.#connections = connections
    this.#options = options
    this.#resolve = resolve
  }

  start (): void {
    this.#sentAtMs = this.#options.clock.nowMs()
    if (this.#call.signal.aborted) return this.#breakOff('left')
    this.#call.signal.addEventListener('abort', this.#onAbort, { once: true })
    this.#arm()
    this.#dispatch(this.#connections.take())
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#holding ??= this.#options.releases.start(Math.min(this.#call.need.places, this.#options.slots() ?? 1), this.#call.stream)
    this.#options.watchdog.sent()
  }

  onResponseStart (_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (this.#done || status < 200) return
    this.#trace.upstreamHeadersAtMs = this.#options.clock.nowMs()
    if (this.#holding !== undefined) this.#holding.startedAtMs = this.#trace.upstreamHeadersAtMs
    if (isSmall(headers)) {
      this.#whole = { status, headers: headersToClient(headers), chunks: [] }
      return
    }
    const streamEnd = status === 200 && isPlainStream(headers) ? streamEndOf(this.#call.path) : undefined
    const toClient = headersToClient(headers)
    // An error event may have to follow what upstream announced.
    if (streamEnd !== undefined) delete toClient['content-length']
    const body = new RelayBody(() => { this.#controller?.resume() })
    let over: Opened['over'] = () => {}
    let released: Opened['released'] = () => {}
    const answer: Answer = {
      status,
      headers: toClient,
      body,
      over: new Promise(resolve => { over = resolve }),
      released: new Promise(resolve => { released = resolve })
    }
    const lastToken = streamEnd === undefined || this.#call.progress?.lastToken === undefined ? undefined : LastToken.of(this.#call, streamEnd)
    this.#opened = { body, tail: new Tail(), lastToken, streamEnd, over, released }
    this.#resolve(answer)
  }

  onResponseData (controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const opened = this.#opened
    if (this.#done) return
    this.#lastByteAtMs = this.#options.clock.nowMs()
    this.#options.watchdog.progress(this.#lastByteAtMs)
    if (this.#firstByteAtMs === undefined) {
      this.#firstByteAtMs = this.#trace.firstByteAtMs = this.#lastByteAtMs
      this.#call.progress?.firstByte?.(this.#lastByteAtMs)
      this.#options.clock.clearTimeout(this.#timer)
      this.#arm()
    }
    this.#bytes += chunk.length
    if (opened === undefined) {
      this.#whole?.chunks.push(chunk)
      return
    }
    opened.tail.add(chunk)
    if (!opened.body.deliver(chunk)) controller.pause()
    if (opened.lastToken?.add(chunk) === true) this.#call.progress?.lastToken?.(this.#lastByteAtMs)
  }

  onResponseEnd (): void {
    const opened = this.#opened ?? this.#whole
    if (this.#done || opened === undefined) return
    this.#finish()
    if (this.#holding !== undefined) this.#options.releases.end(this.#holding)
    if (this.#connection !== undefined) this.#connections.giveBack(this.#connection.client)
    if ('chunks' in opened) {
      this.#resolveWhole(opened)
      return
    }
    const { streamEnd } = opened
    const ending = streamEnd === undefined ? 'whole' : streamEnding(streamEnd, opened.tail.text())
    if (streamEnd !== undefined && ending === 'missing') opened.body.fail(new Error(`it ended the stream without ${endNames[streamEnd]}`))
    else opened.body.finish()
    this.#settle(opened, ending === 'whole' ? 'complete' : 'cut')
    opened.released()
  }

  onResponseError (_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#done) return
    if (this.#connection !== undefined) this.#connections.drop(this.#connection.client)
    // Upstream closed a kept connection just then (L22): it has seen nothing of this call.
    if (this.#opened === undefined && this.#whole === undefined && this.#connection?.reused === true) {
      this.#trace.resent += 1
      this.#dispatch(this.#connections.fresh())
      return
    }
    this.#options.onLost()
    this.#breakOff('upstream-lost', error)
  }

  #dispatch (connection: Connection): void {
    this.#connection = connection
    connection.client.dispatch(this.#request, this)
  }

  #breakOff (why: 'left' | 'upstream-lost' | LimitReason, error?: Error): void {
    if (this.#done) return
    this.#finish()
    if (this.#connection !== undefined) this.#connections.drop(this.#connection.client)
    // Until the request was written nothing of it can run there.
    const released = this.#holding === undefined ? Promise.resolve() : this.#options.releases.abandon(this.#holding)
    const opened = this.#opened
    if (opened !== undefined) {
      const own = why === 'runaway' ? runawayCut(this.#call) : new Error(why === 'left' ? 'the client left' : `broken off: ${why}`)
      opened.body.fail(error ?? own)
      if (why === 'left') this.#settle(opened, 'left')
      else this.#settle(opened, 'cut', why)
      opened.released(released)
    } else if (why === 'left') {
      this.#resolve(faultAnswer({ status: 499, reason: 'client-left', message: 'the client left' }, 'left', released))
    } else {
      this.#resolve(this.#fault(why, error, released))
    }
  }

  #fault (why: 'upstream-lost' | LimitReason, error: Error | undefined, released: Promise<void>): Answer {
    const { url, limits, retryAfterSeconds } = this.#options
    if (why === 'runaway') return runawayAnswer(this.#call, released)
    if (why !== 'upstream-lost') {
      const name = limitNames[why]
      return faultAnswer({ status: 504, reason: why, message: `llama-server did not answer within ${limits[name]} ms (limits.${name})` }, 'fault', released)
    }
    const sent = this.#holding !== undefined
    const message = sent ? `llama-server at ${url} broke the connection before it answered` : `llama-server at ${url} cannot be reached`
    return faultAnswer({
      status: sent ? 502 : 503,
      reason: why,
      message: `${message} (${errorCode(error)}); try again later`,
      retryAfterSeconds: retryAfterSeconds()
    }, 'fault', released)
  }

  #resolveWhole ({ status, headers, chunks }: Whole): void {
    const [only] = chunks
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks)
    this.#resolve({ status, headers, body, over: Promise.resolve(this.#outcome('complete', factsOfWhole(body))), released: Promise.resolve() })
  }

  #settle (opened: Opened, how: Outcome['how'], reason?: string): void {
    const outcome = this.#outcome(how, opened.tail.facts())
    opened.over(reason === undefined ? outcome : { ...outcome, reason })
  }

  #outcome (how: Outcome['how'], facts: TailFacts): Outcome {
    this.#trace.facts = facts
    return {
      how,
      bytes: this.#bytes,
      ...(this.#trace.firstByteAtMs === undefined ? {} : { firstByteAtMs: this.#trace.firstByteAtMs }),
      ...(facts.timings === undefined ? {} : { timings: facts.timings })
    }
  }

  #finish (): void {
    this.#done = true
    this.#options.clock.clearTimeout(this.#timer)
    this.#call.signal.removeEventListener('abort', this.#onAbort)
  }

  #arm (): void {
    const { clock } = this.#options
    const limit = this.#nextLimit()
    this.#timer = clock.setTimeout(() => {
      // The timer is not moved for each chunk: bytes that came meanwhile only make it due later.
      const now = this.#nextLimit()
      if (now.dueAtMs > clock.nowMs() + 1) this.#arm()
      else this.#breakOff(now.reason)
    }, Math.min(Math.max(1, limit.dueAtMs - clock.nowMs()), 2 ** 31 - 1))
  }

  #nextLimit (): ReturnType<typeof nextLimit> {
    return nextLimit(this.#options.limits, this.#sentAtMs, this.#lastByteAtMs, runawayAtMs(this.#call, this.#sentAtMs, this.#firstByteAtMs))
  }
}

const smallBytes = 64 * 1024

/**
 * A body of known, small length is taken whole and answered at its end: it needs no stream, and where upstream breaks off in it,
 * the client gets a proper 502 instead of a broken answer.
 */
function isSmall (headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length']
  return !isStream(headers) && length !== undefined && Number(length) <= smallBytes
}

function isStream (headers: IncomingHttpHeaders): boolean {
  return headers['content-type']?.startsWith('text/event-stream') === true
}

/** An event stream whose bytes can be read; llama-server compresses none. */
function isPlainStream (headers: IncomingHttpHeaders): boolean {
  return isStream(headers) && headers['content-encoding'] === undefined
}

const limitNames = { 'first-byte-timeout': 'firstByteTimeoutMs', 'idle-timeout': 'idleTimeoutMs', 'total-timeout': 'totalTimeoutMs' } as const

function errorCode (error: Error | undefined): string {
  const code: unknown = error === undefined ? undefined : Reflect.get(error, 'code')
  return typeof code === 'string' ? code : error?.message ?? 'no reason given'
}
