import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface Seen {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

/** One request on a connection of its own, and all that comes back. */
export class Exchange {
  readonly chunks: string[] = []
  /** When the headers are here. */
  readonly head: Promise<Seen>
  /** The whole body; rejects when the answer is cut. */
  readonly body: Promise<string>
  readonly #request

  constructor (url: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.#request = request(url, { agent: false, method: body === undefined ? 'GET' : 'POST', headers })
    const chunks = this.chunks
    const outgoing = this.#request
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve)
      outgoing.once('error', reject)
    })
    this.head = response.then(answer => ({ status: answer.statusCode ?? 0, headers: answer.headers }))
    this.body = new Promise((resolve, reject) => {
      outgoing.once('error', reject)
      // Not an async iterator: that joins the pieces that came together.
      outgoing.once('response', answer => {
        answer.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
        answer.once('error', reject)
        answer.once('end', () => resolve(chunks.join('')))
      })
    })
    // A test that only looks at one of them must not die of the other.
    this.head.catch(() => {})
    this.body.catch(() => {})
    outgoing.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  }

  get text (): string { return this.chunks.join('') }

  async json (): Promise<unknown> {
    return JSON.parse(await this.body)
  }

  /** The `data:` of each event; parsed unless it is `[DONE]`. */
  async events (): Promise<unknown[]> {
    const text = await this.body
    return text.split('\n').filter(line => line.startsWith('data: ')).map(line => line.slice(6))
      .map(data => data === '[DONE]' ? data : JSON.parse(data))
  }

  leave (): void {
    this.#request.destroy()
  }
}
