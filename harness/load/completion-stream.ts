import { errorText } from './chat-stream.js'
import type { StreamedAnswer } from './streamed-answer.js'

/** What a streamed `/completion` answer held; its last event has `"stop":true`. */
export interface CompletionStream extends StreamedAnswer {
  /** Bytes in the order they came, cut anywhere. */
  feed (bytes: Buffer, atMs: number): void
}

/** llama-server writes it without blanks; inside a text its quotes are escaped. */
const LAST = '"stop":true'

/**
 * Reads llama-server's own stream (`data: {…}` events, the last with `"stop":true` and no `[DONE]`) without parsing JSON but in the last event:
 * this client shares its CPUs with the server that it stamps.
 */
export function createCompletionStream (): CompletionStream {
  let rest = ''
  const stream: CompletionStream = {
    chunkAtMs: [],
    done: false,
    feed (bytes, atMs) {
      // latin1: no decoding, and what is looked for is ASCII.
      rest += bytes.toString('latin1')
      for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
        const event = rest.slice(0, end)
        rest = rest.slice(end + 2)
        take(event, atMs)
      }
    }
  }
  return stream

  function take (event: string, atMs: number): void {
    // A comment keeps the connection alive.
    if (event.startsWith(':')) return
    if (event.startsWith('error:') || event.startsWith('data: {"error"')) stream.error ??= errorText(event.slice(event.indexOf(':') + 1))
    else if (event.includes(LAST)) readLast(stream, event)
    else stream.chunkAtMs.push(atMs)
  }
}

interface LastEvent {
  readonly tokens_predicted?: number
  readonly tokens_evaluated?: number
  readonly timings?: { readonly cache_n?: number, readonly prompt_ms?: number, readonly predicted_ms?: number }
}

function readLast (stream: CompletionStream, event: string): void {
  stream.done = true
  let last: LastEvent
  try {
    last = JSON.parse(event.slice(event.indexOf('{'))) as LastEvent
  } catch {
    stream.error ??= `not JSON: ${event.slice(0, 100)}`
    return
  }
  const { tokens_predicted: output, tokens_evaluated: prompt, timings } = last
  if (typeof output === 'number') stream.outputTokens = output
  if (typeof prompt === 'number') stream.promptTokens = prompt
  if (typeof timings?.cache_n === 'number') stream.cachedTokens = timings.cache_n
  if (typeof timings?.prompt_ms === 'number') stream.promptMs = timings.prompt_ms
  if (typeof timings?.predicted_ms === 'number') stream.predictedMs = timings.predicted_ms
}
