import { messagesAsChat, responsesAsChat } from './as-chat.js'
import { chatFormat } from './chat-format.js'
import { completionFormat } from './completion-format.js'
import type { Core } from './core.js'
import { chatInputTokens, countTokens, detokenize, responsesInputTokens, template, tokenize } from './free-routes.js'
import { generate } from './generation.js'
import type { JsonRecord } from './json.js'
import { messagesFormat } from './messages-format.js'
import { metricsText } from './metrics-text.js'
import { embedding, openaiEmbeddings, rerank } from './pooled-routes.js'
import type { Reply } from './reply.js'
import { responsesFormat } from './responses-format.js'
import { modelsJson, propsJson, slotsJson } from './server-info.js'
import { textFormat } from './text-format.js'

export interface Route {
  readonly needsSlot: boolean
  /** Served without a key and, for `/health`, also by a wedged server. */
  readonly open: boolean
  /** @throws ServerError */
  readonly handle: (core: Core, reply: Reply, body: JsonRecord) => void
}

type Handle = Route['handle']

const routes = new Map<string, Route>()

function add (paths: readonly string[], method: 'GET' | 'POST', handle: Handle, { needsSlot = false, open = false } = {}): void {
  for (const path of paths) routes.set(`${method} ${path}`, { needsSlot, open, handle })
}

const chat: Handle = (core, reply, body) => generate(core, reply, body, true, chatFormat)
const completion: Handle = (core, reply, body) => generate(core, reply, body, false, completionFormat)
const responses: Handle = (core, reply, body) => generate(core, reply, responsesAsChat(body), true, responsesFormat)
const messages: Handle = (core, reply, body) => generate(core, reply, messagesAsChat(body), true, messagesFormat)
const text: Handle = (core, reply, body) => generate(core, reply, body, false, textFormat)

add(['/health', '/v1/health'], 'GET', (_core, reply) => reply.json({ status: 'ok' }), { open: true })
add(['/'], 'GET', (_core, reply) => reply.text('text/html; charset=utf-8', '<!doctype html><title>llama.cpp</title>\n'), { open: true })
add(['/models', '/v1/models'], 'GET', (core, reply) => reply.json(modelsJson(core.settings)))
add(['/props'], 'GET', (core, reply) => reply.json(propsJson(core.settings)))
add(['/slots'], 'GET', (core, reply) => core.throughQueue(() => reply.json(slotsJson(core.engine))))
add(['/metrics'], 'GET', (core, reply) => core.throughQueue(() => reply.text('text/plain; version=0.0.4', metricsText(core.engine))))
add(['/tokenize'], 'POST', tokenize)
add(['/detokenize'], 'POST', detokenize)
add(['/apply-template'], 'POST', template)
add(['/v1/chat/completions/input_tokens', '/chat/completions/input_tokens'], 'POST', chatInputTokens)
add(['/v1/messages/count_tokens'], 'POST', countTokens)
add(['/v1/responses/input_tokens'], 'POST', responsesInputTokens)
add(['/v1/chat/completions', '/chat/completions'], 'POST', chat, { needsSlot: true })
add(['/completion', '/completions'], 'POST', completion, { needsSlot: true })
add(['/v1/completions'], 'POST', text, { needsSlot: true })
add(['/v1/responses'], 'POST', responses, { needsSlot: true })
add(['/v1/messages'], 'POST', messages, { needsSlot: true })
add(['/embedding', '/embeddings'], 'POST', embedding, { needsSlot: true })
add(['/v1/embeddings'], 'POST', openaiEmbeddings, { needsSlot: true })
add(['/rerank', '/reranking', '/v1/rerank', '/v1/reranking'], 'POST', rerank, { needsSlot: true })

export function routeOf (method: string, path: string): Route | undefined {
  return routes.get(`${method} ${path}`)
}
