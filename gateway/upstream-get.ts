import { Pool } from 'undici'

export interface Fetched {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** The gateway's own questions to llama-server (`/props`, `/metrics`, `/tokenize` …); never a generation. */
export class UpstreamGet {
  readonly #pool: Pool
  readonly #headers: Readonly<Record<string, string>>

  constructor (url: string, apiKey: string | undefined, timeoutMs: number) {
    // As many connections as questions: /metrics can block for a whole batch (L10), and a tokenization must not wait behind it.
    this.#pool = new Pool(url, { connections: null, headersTimeout: timeoutMs, bodyTimeout: timeoutMs, connectTimeout: timeoutMs })
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
  }

  async get (path: string, signal?: AbortSignal): Promise<Fetched> {
    return await this.#request({ path, method: 'GET', headers: this.#headers, ...(signal === undefined ? {} : { signal }) })
  }

  /** @throws Error that names route and status, unless it is 200 with a JSON object */
  async post (path: string, json: unknown, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    const headers = { ...this.#headers, 'content-type': 'application/json' }
    const fetched = await this.#request({ path, method: 'POST', headers, body: JSON.stringify(json), ...(signal === undefined ? {} : { signal }) })
    if (fetched.status !== 200) throw new Error(`llama-server answered ${path} with ${fetched.status}: ${fetched.body.slice(0, 200)}`)
    return objectIn(fetched.body, path)
  }

  async close (): Promise<void> {
    await this.#pool.destroy()
  }

  async #request (options: Parameters<Pool['request']>[0]): Promise<Fetched> {
    const { statusCode, headers, body } = await this.#pool.request(options)
    const contentType = headers['content-type']
    return { status: statusCode, contentType: typeof contentType === 'string' ? contentType : 'text/plain', body: await body.text() }
  }
}

/** @throws Error that names the route, when the text is not a JSON object */
export function objectIn (text: string, path: string): Readonly<Record<string, unknown>> {
  const parsed: unknown = JSON.parse(text)
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`llama-server answered ${path} with ${typeof parsed}, not an object`)
  return { ...parsed }
}
