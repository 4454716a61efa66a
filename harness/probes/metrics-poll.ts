import { get } from 'node:http'

/** Field of an OS sample for each metric of llama-server that is read. */
const FIELDS = {
  requests_processing: 'requestsProcessing',
  requests_deferred: 'requestsDeferred',
  prompt_tokens_total: 'promptTokensTotal',
  tokens_predicted_total: 'predictedTokensTotal',
  n_decode_total: 'decodesTotal'
} as const

export type ServerGauges = { readonly [F in typeof FIELDS[keyof typeof FIELDS]]?: number }

/** llama-server's /metrics: slots that work now, requests in its own hidden queue, and what it has done since its start. */
export function parseServerGauges (text: string): ServerGauges {
  return Object.fromEntries(Object.entries(FIELDS).flatMap(([name, field]) => {
    const found = new RegExp(`^llamacpp:${name}(?:\\{[^}]*\\})? ([-+.0-9eE]+)`, 'm').exec(text)?.[1]
    return found === undefined || !Number.isFinite(Number(found)) ? [] : [[field, Number(found)]]
  }))
}

/** Counters and gauges by their names without `llamacpp:`. */
export function parseServerCounters (text: string): Record<string, number> {
  const found = [...text.matchAll(/^llamacpp:(\w+)(?:\{[^}]*\})? ([-+.0-9eE]+)$/gm)]
  return Object.fromEntries(found.map(([, name = '', value]) => [name, Number(value)]))
}

/** Undefined when the server does not answer in time or has no /metrics. A long batch may be in the way of its answer. */
export async function readServerCounters (url: string, apiKey: string | undefined, timeoutMs: number): Promise<Record<string, number> | undefined> {
  const text = await readMetrics(url, apiKey, timeoutMs)
  return text === undefined ? undefined : parseServerCounters(text)
}

/**
 * Empty when the server does not answer in time or has no /metrics. Not faster than every 2 s: the answer goes through the
 * server's task queue and can starve its notice of clients that left.
 */
export async function readServerGauges (url: string, apiKey: string | undefined, timeoutMs: number): Promise<ServerGauges> {
  const text = await readMetrics(url, apiKey, timeoutMs)
  return text === undefined ? {} : parseServerGauges(text)
}

function readMetrics (url: string, apiKey: string | undefined, timeoutMs: number): Promise<string | undefined> {
  return new Promise(resolve => {
    // node:http and not fetch: this runs in the sampler, whose own CPU is taken from what it measures.
    const request = get(new URL('/metrics', url), {
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(timeoutMs)
    }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => { text += part })
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined))
      response.on('error', () => resolve(undefined))
    })
    request.on('error', () => resolve(undefined))
  })
}
