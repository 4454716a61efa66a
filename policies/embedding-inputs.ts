import { isUtf8 } from 'node:buffer'
import type { Call } from './contract.js'
import { isJson } from './fit-prompt.js'
import { isOnePrompt, routeName } from './need.js'

/** What a call wants embedded, in the order of its answer. */
export interface EmbeddingInputs {
  /** `content` makes llama-server answer in its own form, without usage. */
  readonly field: 'input' | 'content'
  readonly prompts: ReadonlyArray<string | readonly number[]>
  /** Estimated by bytes where they are text. */
  readonly tokens: number
  /** Equal for calls that may be one: route, caller, and all else that the body says. */
  readonly settings: string
}

/** Those that llama-server reads, or is known not to (`user`, `metadata`). A body with any other field goes alone. */
const SETTINGS = new Set(['model', 'encoding_format', 'dimensions', 'embd_normalize', 'user', 'metadata'])
const BYTES_PER_TOKEN = 5

/** Undefined: no embedding, or one that llama-server itself must judge as it stands. */
export function embeddingInputsOf (call: Call): EmbeddingInputs | undefined {
  const { path, body, method, caller } = call
  if (!/^\/embeddings?$/.test(routeName(path)) || !isJson(call) || !isUtf8(body.bytes)) return undefined
  const { input, content, ...rest } = body.json
  if ((input === undefined) === (content === undefined) || Object.keys(rest).some(name => !SETTINGS.has(name))) return undefined
  const prompts = promptsIn(input ?? content)
  if (prompts === undefined) return undefined
  const { user, metadata, ...read } = rest
  const settings = Object.entries(read).sort(([a], [b]) => a < b ? -1 : 1)
  const field = input === undefined ? 'content' : 'input'
  return { field, prompts, tokens: prompts.reduce((sum, prompt) => sum + tokensOf(prompt), 0), settings: JSON.stringify([method, path, caller, field, settings]) }
}

function tokensOf (prompt: string | readonly number[]): number {
  return typeof prompt === 'string' ? Math.ceil(Buffer.byteLength(prompt) / BYTES_PER_TOKEN) : prompt.length
}

function promptsIn (value: unknown): EmbeddingInputs['prompts'] | undefined {
  if (isPrompt(value)) return [value]
  if (!Array.isArray(value) || value.length === 0) return undefined
  const items: readonly unknown[] = value
  if (items.length > 1 && isOnePrompt(items)) return undefined
  return items.every(isPrompt) ? items : undefined
}

function isPrompt (value: unknown): value is string | readonly number[] {
  return typeof value === 'string' ? value !== '' : Array.isArray(value) && value.length > 0 && value.every(id => Number.isInteger(id))
}
