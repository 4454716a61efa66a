import { messagesAsChat, responsesAsChat } from './as-chat.js'
import type { Core } from './core.js'
import { badRequest } from './error-body.js'
import { chatPrompt, messagesOf } from './generation-request.js'
import type { JsonRecord } from './json.js'
import type { Reply } from './reply.js'
import { applyTemplate } from './words.js'

export function tokenize (core: Core, reply: Reply, body: JsonRecord): void {
  const content = body['content']
  const ids = typeof content === 'string' ? core.words.tokenize(content, body['add_special'] === true) : []
  reply.json({ tokens: body['with_pieces'] === true ? ids.map(id => ({ id, piece: core.words.piece(id) })) : ids })
}

export function detokenize (core: Core, reply: Reply, body: JsonRecord): void {
  const tokens = body['tokens']
  const ids = Array.isArray(tokens) ? tokens.filter(token => typeof token === 'number') : []
  reply.json({ content: core.words.detokenize(ids) })
}

export function template (_core: Core, reply: Reply, body: JsonRecord): void {
  reply.json({ prompt: applyTemplate(messagesOf(body)) })
}

export function chatInputTokens (core: Core, reply: Reply, body: JsonRecord): void {
  reply.json({ input_tokens: chatPrompt(body, core.words).ids.length, object: 'response.input_tokens' })
}

export function countTokens (core: Core, reply: Reply, body: JsonRecord): void {
  if (body['messages'] === undefined) throw badRequest("'messages' is required")
  reply.json({ input_tokens: chatPrompt(messagesAsChat(body), core.words).ids.length })
}

export function responsesInputTokens (core: Core, reply: Reply, body: JsonRecord): void {
  reply.json({ input_tokens: chatPrompt(responsesAsChat(body), core.words).ids.length, object: 'response.input_tokens' })
}
