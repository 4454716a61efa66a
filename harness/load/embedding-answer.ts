import type { ChatStream } from './chat-stream.js'
import { errorText } from './chat-stream.js'

/** Reads an answer of `/v1/embeddings`: it has one part, which is there when its last byte is. */
export function createEmbeddingAnswer (): ChatStream {
  const parts: Uint8Array[] = []
  const answer: ChatStream = {
    chunkAtMs: [],
    text: '',
    done: false,
    feed (bytes, atMs) {
      parts.push(bytes)
      // The last byte of the object; braces inside are followed by something.
      if (bytes.at(-1) !== CLOSING_BRACE) return
      read(answer, Buffer.concat(parts).toString(), atMs)
    }
  }
  return answer
}

const CLOSING_BRACE = 0x7d

function read (answer: ChatStream, text: string, atMs: number): void {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return
  }
  const data: unknown = Reflect.get(Object(json), 'data')
  if (!Array.isArray(data) || data.length === 0) {
    answer.error ??= errorText(text)
    return
  }
  answer.chunkAtMs.push(atMs)
  answer.done = true
  const vector: unknown = Reflect.get(Object(data[0]), 'embedding')
  if (Array.isArray(vector)) answer.vectorSum = vector.reduce<number>((sum, value, i) => sum + Number(value) * Math.cos(i + 1), 0)
  const tokens: unknown = Reflect.get(Object(Reflect.get(Object(json), 'usage')), 'prompt_tokens')
  if (typeof tokens === 'number') answer.promptTokens = tokens
}
