import { randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallSignal, Clock, PassRecord, RouteClass } from '../policies/contract.js'
import { ClientConnection } from './client-connection.js'

/** One request on its way past the chain, from arrival to record. */
export class Passage {
  readonly id = randomUUID()
  readonly #client: ClientConnection
  readonly #clock: Clock
  readonly #what: Pick<PassRecord, 'caller' | 'route' | 'method' | 'path' | 'arrivedAtMs'>
  #upstreamHeadersAtMs: number | undefined
  #firstByteAtMs: number | undefined
  #reason: string | undefined
  #broken = false
  #bytes = 0

  /** @param onRecord called once, when the response was written out or the connection closed */
  constructor (request: FastifyRequest, reply: FastifyReply, route: RouteClass, caller: string, clock: Clock, onRecord: (record: PassRecord) => void) {
    this.#client = new ClientConnection(reply.raw, clock)
    this.#clock = clock
    this.#what = { caller, route, method: request.method, path: request.raw.url ?? '/', arrivedAtMs: clock.nowMs() }
    this.#client.closed.then(() => { onRecord(this.#record()) }, () => {})
  }

  /** Aborts when the client left. */
  get signal (): CallSignal {
    return this.#client.signal
  }

  upstreamAnswered (): void {
    this.#upstreamHeadersAtMs = this.#clock.nowMs()
  }

  /** @param count bytes of an answer's body */
  sent (count: number): void {
    this.#firstByteAtMs ??= this.#clock.nowMs()
    this.#bytes += count
  }

  /** The answer is ours. */
  refused (reason: string): void {
    this.#reason = reason
  }

  /** Upstream cannot be reached, or broke off. */
  upstreamBroke (): void {
    if (!this.signal.aborted) this.#broken = true
  }

  #record (): PassRecord {
    const { res, left } = this.#client
    const outcome = this.#outcome()
    const reason = outcome === 'left' ? 'client-left' : this.#reason
    return {
      msg: 'pass',
      id: this.id,
      ...this.#what,
      status: left && !res.headersSent ? 499 : res.statusCode,
      outcome,
      ...(reason === undefined ? {} : { reason }),
      ...(this.#upstreamHeadersAtMs === undefined ? {} : { upstreamHeadersAtMs: this.#upstreamHeadersAtMs }),
      ...(this.#firstByteAtMs === undefined ? {} : { firstByteAtMs: this.#firstByteAtMs }),
      overAtMs: this.#clock.nowMs(),
      bytes: this.#bytes
    }
  }

  #outcome (): PassRecord['outcome'] {
    // A cut answer ends with a broken connection, too; that is our doing.
    if (this.#broken) return this.#upstreamHeadersAtMs === undefined ? 'fault' : 'cut'
    if (this.#client.left) return 'left'
    return this.#reason === undefined ? 'complete' : 'refused'
  }
}
