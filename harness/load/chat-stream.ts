import { createParser } from 'eventsource-parser'
import type { StreamedAnswer } from './streamed-answer.js'

/** What a streamed chat answer held; `chunkAtMs` has the events with non-empty text, its last event is `[DONE]`. */
export interface ChatStream extends StreamedAnswer {
  /** What the answer says, without its reasoning. */
  text: string
  /** Bytes in the order they came, cut anywhere (also inside a character). */
  feed (bytes: Uint8Array, atMs: number): void
}

/** Reads llama-server's SSE dialect: `data: {chunk}` … `data: [DONE]`, with errors as `data: {"error": …}` or as an `error:` line. */
export function createChatStream (): ChatStream {
  const decoder = new TextDecoder()
  let arrivedAtMs = 0
  const stream: ChatStream = {
    chunkAtMs: [],
    text: '',
    done: false,
    feed (bytes, atMs) {
      arrivedAtMs = atMs
      parser.feed(decoder.decode(bytes, { stream: true }))
    }
  }
  const parser = createParser({
    onEvent ({ event, data }) {
      if (data === '[DONE]') stream.done = true
      else if (event === 'error') stream.error ??= errorText(data)
      else read(stream, data, arrivedAtMs)
    },
    onError ({ field, value }) {
      if (field === 'error') stream.error ??= errorText(value ?? '')
    }
  })
  return stream
}

/** `error.type` of llama-server's JSON, else its message, else the text itself (100 characters). */
export function errorText (text: string): string {
  const json = parseObject(text)
  const error = isObject(json?.error) ? json.error : json
  for (const key of ['type', 'message']) {
    const value = error?.[key]
    if (typeof value === 'string' && value !== '') return value
  }
  return text.trim().slice(0, 100) || 'unnamed error'
}

function read (stream: ChatStream, data: string, atMs: number): void {
  const json = parseObject(data)
  if (json === undefined) {
    stream.error ??= `not JSON: ${data.slice(0, 100)}`
    return
  }
  if (json.error !== undefined && json.error !== null) stream.error ??= errorText(data)
  if (hasText(json.choices)) stream.chunkAtMs.push(atMs)
  stream.text += contentOf(json.choices)
  if (isObject(json.usage)) {
    copyNumber(json.usage.prompt_tokens, value => { stream.promptTokens = value })
    copyNumber(json.usage.completion_tokens, value => { stream.outputTokens = value })
  }
  if (isObject(json.timings)) {
    copyNumber(json.timings.prompt_ms, value => { stream.promptMs = value })
    copyNumber(json.timings.predicted_ms, value => { stream.predictedMs = value })
  }
}

/** Thinking models stream their first tokens as `reasoning_content`: work of the server like any other token. */
function hasText (choices: unknown): boolean {
  if (!Array.isArray(choices)) return false
  return choices.some((choice: unknown) => {
    const delta = isObject(choice) ? choice.delta : undefined
    return isObject(delta) && [delta.content, delta.reasoning_content].some(text => typeof text === 'string' && text !== '')
  })
}

function contentOf (choices: unknown): string {
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const content = isObject(choice) && isObject(choice.delta) ? choice.delta.content : undefined
  return typeof content === 'string' ? content : ''
}

function copyNumber (value: unknown, to: (value: number) => void): void {
  if (typeof value === 'number' && Number.isFinite(value)) to(value)
}

function parseObject (text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}

function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
