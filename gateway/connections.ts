import { Client } from 'undici'

/** One keep-alive connection to upstream. It carries one call at a time. */
export interface Connection {
  readonly client: Client
  /** It carried a call before: upstream may have closed it without our knowing (L22). */
  readonly reused: boolean
}

/**
 * Connections to upstream, one for each running call: no fixed number of them can make a stream wait for another (T22),
 * and it is known which of them were used before. The number of calls is bounded by admission, not here.
 */
export class Connections {
  readonly #url: string
  readonly #connectTimeoutMs: number
  readonly #idle: Client[] = []
  readonly #all = new Set<Client>()

  constructor (url: string, connectTimeoutMs: number) {
    this.#url = url
    this.#connectTimeoutMs = connectTimeoutMs
  }

  /** An idle connection, or a fresh one. */
  take (): Connection {
    const idle = this.#idle.pop()
    return idle === undefined ? this.fresh() : { client: idle, reused: true }
  }

  fresh (): Connection {
    // Time limits are the caller's: a prefill on a CPU is longer than any default (T14).
    const client = new Client(this.#url, { headersTimeout: 0, bodyTimeout: 0, connectTimeout: this.#connectTimeoutMs })
    this.#all.add(client)
    client.on('disconnect', () => { this.drop(client) })
    return { client, reused: false }
  }

  /** After a call that came to its end. */
  giveBack (client: Client): void {
    if (!client.destroyed) this.#idle.push(client)
    else this.drop(client)
  }

  /** Closes the connection at once, whatever it carries. */
  drop (client: Client): void {
    const at = this.#idle.indexOf(client)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#all.delete(client)) client.destroy().catch(() => {})
  }

  get open (): number {
    return this.#all.size
  }

  async close (): Promise<void> {
    const clients = [...this.#all]
    this.#all.clear()
    this.#idle.length = 0
    await Promise.all(clients.map(async client => { await client.destroy() }))
  }
}
