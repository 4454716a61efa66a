import { badRequest } from './error-body.js'
import type { FakeSettings } from './options.js'
import { applyTemplate, type Words } from './words.js'
import { isRecord, numberIn, type JsonRecord } from './json.js'

/** What a generation route was asked for. */
export interface GenerationRequest {
  readonly prompts: ReadonlyArray<{ readonly ids: readonly number[], readonly text: string }>
  readonly choices: number
  readonly maxTokens: (promptTokens: number) => number
  /** Whether the limit of tokens, not the fake's own end of text, will end the answer. */
  readonly limited: boolean
  readonly stream: boolean
  readonly ignoreEos: boolean
  readonly includeUsage: boolean
  readonly timingsPerToken: boolean
  readonly pinnedSlot: number | undefined
  readonly reusePrompt: boolean
  readonly seed: number
}

/** @throws ServerError when the body is not what the route takes. */
export function generationRequest (body: JsonRecord, isChat: boolean, words: Words, settings: FakeSettings): GenerationRequest {
  const choices = numberIn(body, 'n', numberIn(body, 'n_cmpl', 1))
  if (!Number.isInteger(choices) || choices < 1 || choices > settings.slots) {
    throw badRequest(`Field 'n': Value must be between 1 <= value <= ${settings.slots}, but got ${choices}`)
  }
  const asked = numberIn(body, 'max_completion_tokens', numberIn(body, 'max_tokens', numberIn(body, 'n_predict', -1)))
  const ignoreEos = body['ignore_eos'] === true
  const naturalTokens = ignoreEos ? Infinity : typeof settings.answerTokens === 'function' ? settings.answerTokens() : settings.answerTokens
  // As in llama-server the token that ends the prefill is always there, even when none was asked for.
  const wanted = Math.max(Math.min(asked < 0 ? Infinity : asked, naturalTokens), 1)
  const pinned = numberIn(body, 'id_slot', -1)
  const streamOptions = body['stream_options']
  return {
    prompts: isChat ? [chatPrompt(body, words)] : textPrompts(body, words),
    choices,
    maxTokens: promptTokens => Math.max(Math.min(wanted, settings.slotContextTokens - promptTokens), 1),
    limited: asked >= 0 ? asked <= naturalTokens : ignoreEos,
    stream: body['stream'] === true,
    ignoreEos,
    includeUsage: isRecord(streamOptions) && streamOptions['include_usage'] === true,
    timingsPerToken: body['timings_per_token'] === true,
    pinnedSlot: pinned < 0 ? undefined : pinned % settings.slots,
    reusePrompt: body['cache_prompt'] !== false,
    seed: numberIn(body, 'seed', 0)
  }
}

export function chatPrompt (body: JsonRecord, words: Words) {
  const text = applyTemplate(messagesOf(body))
  return { ids: words.tokenize(text, true), text }
}

export function messagesOf (body: JsonRecord): readonly unknown[] {
  const messages = body['messages']
  if (messages === undefined) throw badRequest("'messages' is required")
  if (!Array.isArray(messages)) throw badRequest("Expected 'messages' to be an array")
  return messages
}

function textPrompts (body: JsonRecord, words: Words) {
  const prompt = body['prompt']
  if (prompt === undefined) throw badRequest("[json.exception.out_of_range.403] key 'prompt' not found")
  return manyPrompts(prompt, words)
}

/** An array of texts or of arrays is many prompts; an array with numbers in it is one. */
export function manyPrompts (prompt: unknown, words: Words) {
  const many = Array.isArray(prompt) && prompt.length > 0 && prompt.every(part => typeof part !== 'number')
  const parts: readonly unknown[] = many ? prompt : [prompt]
  return parts.map(part => {
    const ids = words.prompt(part)
    if (ids === undefined || ids.length === 0) {
      throw badRequest('"prompt" elements must be a string, a list of tokens, a list of mixed strings & tokens, or a list of prompts')
    }
    return { ids, text: words.detokenize(ids) }
  })
}
