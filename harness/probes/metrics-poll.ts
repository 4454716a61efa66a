import { get } from 'node:http'

export interface ServerGauges {
  readonly requestsProcessing?: number
  readonly requestsDeferred?: number
  readonly promptTokensTotal?: number
}

/** llama-server's /metrics: slots that work now, requests in its own hidden queue, and prompt tokens evaluated so far. */
export function parseServerGauges (text: string): ServerGauges {
  const gauge = (name: string): number | undefined => {
    const found = new RegExp(`^llamacpp:${name}(?:\\{[^}]*\\})? ([-+.0-9eE]+)`, 'm').exec(text)?.[1]
    return found === undefined || !Number.isFinite(Number(found)) ? undefined : Number(found)
  }
  const [processing, deferred, promptTokens] = [gauge('requests_processing'), gauge('requests_deferred'), gauge('prompt_tokens_total')]
  return {
    ...(processing === undefined ? {} : { requestsProcessing: processing }),
    ...(deferred === undefined ? {} : { requestsDeferred: deferred }),
    ...(promptTokens === undefined ? {} : { promptTokensTotal: promptTokens })
  }
}

/**
 * Empty when the server does not answer in time or has no /metrics. Not faster than every 2 s: the answer goes through the
 * server's task queue and can starve its notice of clients that left.
 */
export function readServerGauges (url: string, apiKey: string | undefined, timeoutMs: number): Promise<ServerGauges> {
  return new Promise(resolve => {
    // node:http and not fetch: this runs in the sampler, whose own CPU is taken from what it measures.
    const request = get(new URL('/metrics', url), {
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(timeoutMs)
    }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => { text += part })
      response.on('end', () => resolve(response.statusCode === 200 ? parseServerGauges(text) : {}))
      response.on('error', () => resolve({}))
    })
    request.on('error', () => resolve({}))
  })
}
