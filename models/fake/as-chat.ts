import { badRequest, ServerError } from './error-body.js'
import { isRecord, type JsonRecord } from './json.js'

/** The body of `/v1/responses` as that of a chat completion. @throws ServerError */
export function responsesAsChat (body: JsonRecord): JsonRecord {
  const { input, instructions, max_output_tokens: maxTokens } = body
  if (input === undefined) throw badRequest("'input' is required")
  if (typeof input !== 'string' && !(Array.isArray(input) && input.every(isRecord))) throw badRequest("'input' must be a string or array of objects")
  const messages: readonly unknown[] = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  return { ...body, max_tokens: maxTokens, messages: withSystem(instructions, messages) }
}

/** The body of `/v1/messages` as that of a chat completion. @throws ServerError */
export function messagesAsChat (body: JsonRecord): JsonRecord {
  const { messages, system } = body
  // llama-server calls this one its own error.
  if (!Array.isArray(messages)) throw new ServerError(500, 'server_error', "'messages' is required")
  return { ...body, messages: withSystem(system, messages) }
}

function withSystem (system: unknown, messages: readonly unknown[]): readonly unknown[] {
  return system === undefined ? messages : [{ role: 'system', content: system }, ...messages]
}
