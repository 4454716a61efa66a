import type { CallSample } from '../types.js'

/** What a streamed answer held, as far as it came; each route's reader fills it. */
export interface StreamedAnswer {
  /** One per event that brought text, when its last byte arrived. */
  readonly chunkAtMs: number[]
  /** The route's last event came. */
  done: boolean
  /** An event told of an error. */
  error?: string
  promptTokens?: number
  cachedTokens?: number
  outputTokens?: number
  promptMs?: number
  predictedMs?: number
  /** As in `CallSample`. */
  vectorSum?: number
}

export type Ending = Pick<CallSample, 'outcome' | 'reason'>

/** How a call ended whose stream came to an end of its own. @param lastEvent what it should have ended with, for the reason */
export function endOfStream ({ error, done, chunkAtMs }: StreamedAnswer, lastEvent: string): Ending {
  if (error !== undefined) return { outcome: 'failed', reason: `error event: ${error}` }
  if (!done) return { outcome: 'failed', reason: `cut: ended without ${lastEvent}` }
  if (chunkAtMs.length === 0) return { outcome: 'failed', reason: 'no content' }
  return { outcome: 'answered' }
}

/** The part of a sample that comes from its stream. */
export function streamPart ({ chunkAtMs, promptTokens, cachedTokens, outputTokens, promptMs, predictedMs, vectorSum }: StreamedAnswer): Pick<CallSample, 'chunks' | 'itlMs' | 'firstMs' | 'lastMs' | 'promptTokens' | 'cachedTokens' | 'outputTokens' | 'promptMs' | 'predictedMs' | 'vectorSum'> {
  const firstMs = chunkAtMs[0]
  const lastMs = chunkAtMs.at(-1)
  return {
    chunks: chunkAtMs.length,
    itlMs: gapsOf(chunkAtMs),
    ...(firstMs === undefined || lastMs === undefined ? {} : { firstMs, lastMs }),
    ...(promptTokens === undefined ? {} : { promptTokens }),
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(promptMs === undefined ? {} : { promptMs }),
    ...(predictedMs === undefined ? {} : { predictedMs }),
    ...(vectorSum === undefined ? {} : { vectorSum })
  }
}

/** Two decimals; stamps are rounded before they are subtracted, so that sums of gaps stay within 0.01 ms of the stamps. */
export function gapsOf (chunkAtMs: readonly number[]): number[] {
  const first = chunkAtMs[0] ?? 0
  const hundredths = chunkAtMs.map(atMs => Math.round((atMs - first) * 100))
  return hundredths.slice(1).map((at, i) => (at - (hundredths[i] ?? 0)) / 100)
}

/** Of a request for a stream. */
export function requestHeaders (apiKey: string | undefined): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` })
  }
}
