import { get } from 'node:http'
import type { ServerCounters } from '../types.js'

export interface ServerGauges {
  readonly requestsProcessing?: number
  readonly requestsDeferred?: number
}

function metricOf (text: string, name: string): number | undefined {
  const found = new RegExp(`^llamacpp:${name}(?:\\{[^}]*\\})? ([-+.0-9eE]+)`, 'm').exec(text)?.[1]
  return found === undefined || !Number.isFinite(Number(found)) ? undefined : Number(found)
}

/** llama-server's /metrics: slots that work now, and requests in its own hidden queue. */
export function parseServerGauges (text: string): ServerGauges {
  const [processing, deferred] = [metricOf(text, 'requests_processing'), metricOf(text, 'requests_deferred')]
  return {
    ...(processing === undefined ? {} : { requestsProcessing: processing }),
    ...(deferred === undefined ? {} : { requestsDeferred: deferred })
  }
}

/** Undefined unless the server tells both. */
export function parseServerCounters (text: string): ServerCounters | undefined {
  const [decodeCalls, predictedTokens] = [metricOf(text, 'n_decode_total'), metricOf(text, 'tokens_predicted_total')]
  return decodeCalls === undefined || predictedTokens === undefined ? undefined : { decodeCalls, predictedTokens }
}

/**
 * Empty when the server does not answer in time or has no /metrics. Not faster than every 2 s: the answer goes through the
 * server's task queue and can starve its notice of clients that left.
 */
export async function readServerGauges (url: string, apiKey: string | undefined, timeoutMs: number): Promise<ServerGauges> {
  return parseServerGauges(await readMetrics(url, apiKey, timeoutMs))
}

/** Undefined when the server does not answer in time, or does not tell. */
export async function readServerCounters (url: string, apiKey: string | undefined, timeoutMs: number): Promise<ServerCounters | undefined> {
  return parseServerCounters(await readMetrics(url, apiKey, timeoutMs))
}

/** Empty when there is no answer. */
function readMetrics (url: string, apiKey: string | undefined, timeoutMs: number): Promise<string> {
  return new Promise(resolve => {
    // node:http and not fetch: this runs in the sampler, whose own CPU is taken from what it measures.
    const request = get(new URL('/metrics', url), {
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      signal: AbortSignal.timeout(timeoutMs)
    }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => { text += part })
      response.on('end', () => resolve(response.statusCode === 200 ? text : ''))
      response.on('error', () => resolve(''))
    })
    request.on('error', () => resolve(''))
  })
}
