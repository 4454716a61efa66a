import type { Answer, Call, Clock } from '../policies/contract.js'
import { Connections } from './connections.js'
import { headersToUpstream } from './headers.js'
import type { TimeLimits } from './limits.js'
import type { Releases } from './release.js'
import type { Trace } from './trace.js'
import { Trip } from './trip.js'
import type { Watchdog } from './watchdog.js'

export interface UpstreamOptions {
  /** Origin of llama-server. */
  readonly url: string
  readonly apiKey?: string | undefined
  /** Clients' keys are the gateway's and do not travel on. */
  readonly dropCredentials: boolean
  readonly clock: Clock
  readonly limits: TimeLimits
  readonly connectTimeoutMs: number
  readonly releases: Releases
  readonly watchdog: Pick<Watchdog, 'sent' | 'progress'>
  /** Slots of llama-server: a call with more places than that takes all of them. Undefined while unknown. */
  readonly slots: () => number | undefined
  /** Called when a connection was refused or died: upstream may be gone. */
  readonly onLost: () => void
  /** Seconds after which a client may try again while upstream is away. */
  readonly retryAfterSeconds: () => number
}

/** llama-server as the innermost stage of the chain. */
export class Upstream {
  readonly #options: UpstreamOptions
  readonly #connections: Connections

  constructor (options: UpstreamOptions) {
    this.#options = options
    this.#connections = new Connections(options.url, options.connectTimeoutMs)
  }

  /**
   * Sends one call; resolves with its answer at the response headers. Never rejects: a lost upstream is a 502, a time
   * limit a 504, and a client that left a 499 whose `released` still tells when upstream let go.
   */
  send (call: Call, trace: Trace): Promise<Answer> {
    const { apiKey, dropCredentials } = this.#options
    const request = {
      path: call.path,
      method: call.method as 'POST',
      headers: headersToUpstream(call.headers, apiKey, dropCredentials),
      body: call.body.bytes
    }
    return new Promise(resolve => { new Trip(call, trace, request, this.#connections, this.#options, resolve).start() })
  }

  get openConnections (): number {
    return this.#connections.open
  }

  async close (): Promise<void> {
    await this.#connections.close()
  }
}
