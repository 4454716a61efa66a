import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer, Body, Call, CallRecord, Clock, Outcome, PolicyLogger } from '../policies/contract.js'
import { needOf } from '../policies/need.js'
import type { UpstreamBackend } from './backend.js'
import { opaqueBody, parseBody } from './body.js'
import { ClientConnection } from './client-connection.js'
import type { Drain } from './drain.js'
import { inDialectOf } from './error-dialect.js'
import type { Caller } from './keys.js'
import { recordOf } from './record.js'
import { ownRefusal } from './refusal.js'
import type { OwnRefusal } from './refusal.js'
import { writeAnswer } from './reply.js'
import { weirHeaders } from './weir-headers.js'
import type { CallRoute } from './routes.js'
import type { Trace } from './trace.js'

export interface CallHandlerOptions {
  readonly chain: (call: Call) => Promise<Answer>
  /** Traces of the calls in flight, by id; shared with the innermost stage of the chain. */
  readonly traces: Map<string, Trace>
  readonly clock: Clock
  readonly backend: UpstreamBackend
  readonly drain: Drain
  readonly log: PolicyLogger
  readonly admissionGauges: () => Readonly<Record<string, number>> | undefined
  readonly onRecord: (record: CallRecord) => void
}

/** One HTTP request of a slot-bound route: request → Call → chain → response → record. */
export class CallHandler {
  readonly #options: CallHandlerOptions
  readonly #running = new Set<Promise<void>>()

  constructor (options: CallHandlerOptions) {
    this.#options = options
  }

  get inFlight (): number {
    return this.#options.traces.size
  }

  /** Settles when the record of every call so far is written. */
  async idle (): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  handle (request: FastifyRequest, reply: FastifyReply, route: CallRoute, caller: Caller): void {
    const bytes = request.body instanceof Buffer ? request.body : Buffer.alloc(0)
    const { drain } = this.#options
    if (drain.draining) {
      this.refuse(request, reply, route, caller, { status: 503, reason: 'draining', message: 'this gateway is being shut down; try again later', retryAfterSeconds: drain.retryAfterSeconds })
      return
    }
    let body: Body
    try {
      body = isMultipart(request) ? opaqueBody(bytes) : parseBody(bytes)
    } catch (error) {
      this.refuse(request, reply, route, caller, { status: 400, reason: 'bad-request', message: error instanceof Error ? error.message : String(error) })
      return
    }
    this.#start(request, reply, route, caller, body, this.#options.chain)
  }

  /** A request that does not get as far as the chain, with a record all the same. */
  refuse (request: FastifyRequest, reply: FastifyReply, route: CallRoute, caller: Caller, refused: OwnRefusal): void {
    this.#start(request, reply, route, caller, opaqueBody(Buffer.alloc(0)), async () => ownRefusal(refused))
  }

  #start (request: FastifyRequest, reply: FastifyReply, route: CallRoute, caller: Caller, body: Body, answerTo: (call: Call) => Promise<Answer>): void {
    reply.hijack()
    const client = new ClientConnection(reply.raw, this.#options.clock)
    // The route's own spelling: policies and llama-server must not read another path out of %63ompletion than the router did.
    const path = route.path + queryOf(request)
    const call: Call = {
      id: randomUUID(),
      route: route.routeClass,
      path,
      method: request.method,
      caller: caller.name,
      grant: caller.grant,
      headers: headersOf(request),
      body,
      stream: body.json['stream'] === true,
      arrivedAtMs: this.#options.clock.nowMs(),
      need: needOf(path, body.json),
      signal: client.signal,
      decisions: []
    }
    const running: Promise<void> = this.#run(call, client, route, answerTo).finally(() => { this.#running.delete(running) })
    this.#running.add(running)
  }

  async #run (call: Call, client: ClientConnection, route: CallRoute, answerTo: (call: Call) => Promise<Answer>): Promise<void> {
    const { clock, traces, onRecord, admissionGauges, log } = this.#options
    const trace: Trace = { resent: 0 }
    traces.set(call.id, trace)
    try {
      const answer = this.#named(inDialectOf(call.path, await this.#answer(call, answerTo)))
      if (client.open) writeAnswer(client.res, answer, weirHeaders(call, trace, answer), route.streamEnd)
      const [outcome] = await Promise.all([answer.over, client.closed])
      const overAtMs = clock.nowMs()
      await answer.released
      const gauges = admissionGauges()
      onRecord(recordOf({
        call,
        trace,
        answer,
        outcome: bodyOutcome(outcome, answer),
        // A cut answer ends with a broken connection, too; that is our doing.
        leftAtMs: outcome.how === 'cut' ? undefined : client.leftAtMs,
        headersSent: client.res.headersSent,
        overAtMs,
        releasedAtMs: clock.nowMs(),
        ...(gauges === undefined ? {} : { gauges })
      }))
    } catch (error) {
      log.warn({ err: error, id: call.id }, 'a call could not be finished')
      client.res.destroy()
    } finally {
      traces.delete(call.id)
    }
  }

  async #answer (call: Call, answerTo: (call: Call) => Promise<Answer>): Promise<Answer> {
    try {
      return await answerTo(call)
    } catch (error) {
      if (call.signal.aborted) return ownRefusal({ status: 499, reason: 'client-left', message: 'the client left' })
      this.#options.log.warn({ err: error, id: call.id }, 'a policy failed')
      const message = `the gateway failed on this call (${error instanceof Error ? error.message : String(error)}); its log has more under ${call.id}`
      return { ...ownRefusal({ status: 502, reason: 'fault', message }), over: Promise.resolve({ how: 'fault', bytes: 0 }) }
    }
  }

  /** llama-server's own 503 while it loads gets the reason and the Retry-After that a refusal of ours would have. */
  #named (answer: Answer): Answer {
    const { backend } = this.#options
    if (answer.status !== 503 || answer.reason !== undefined || backend.state === 'ready') return answer
    const retryAfter = String(Math.ceil(backend.retryAfterSeconds()))
    return { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter }, reason: 'loading' }
  }
}

function bodyOutcome (outcome: Outcome, { body }: Answer): Outcome {
  return body instanceof Buffer && body.length !== outcome.bytes ? { ...outcome, bytes: body.length } : outcome
}

/** With its question mark; empty where there is none. */
function queryOf (request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const at = url.indexOf('?')
  return at < 0 ? '' : url.slice(at)
}

function headersOf (request: FastifyRequest): ReadonlyMap<string, string> {
  const headers = new Map<string, string>()
  for (const name in request.headers) headers.set(name, String(request.headers[name]))
  return headers
}

function isMultipart (request: FastifyRequest): boolean {
  return request.headers['content-type']?.toLowerCase().startsWith('multipart/') === true
}
