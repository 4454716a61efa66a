import type { Call } from './contract.js'
import { routeName } from './need.js'

/** Tokens that a chat template may add on its own (default system prompts, dates, the generation prompt) and for each message. */
const TEMPLATE_TOKENS = { perCall: 256, perMessage: 16 }
/** Fields that make templates add text of unknown length, or that stand for more tokens than bytes. */
const UNBOUNDED_FIELDS = ['tools', 'functions', 'response_format', 'json_schema', 'chat_template_kwargs', 'multimodal_data', 'input_extra']

/**
 * An upper bound of the prompt's tokens without asking anybody, or undefined where there is none (tools, images, audio).
 * A token stands for at least one byte of the rendered prompt, JSON never makes text shorter, and the rest is the template's.
 */
export function promptTokensBound (call: Call): number | undefined {
  const { json, bytes } = call.body
  if (UNBOUNDED_FIELDS.some(field => json[field] !== undefined)) return undefined
  const messages = [json['messages'], json['input']].flatMap(list => Array.isArray(list) ? list : [])
  if (!messages.every(isText)) return undefined
  const templated = !/^\/(completions?|infill|embeddings?|rerank(ing)?)$/.test(routeName(call.path))
  const templateTokens = templated ? TEMPLATE_TOKENS.perCall + TEMPLATE_TOKENS.perMessage * messages.length : 8
  return bytes.length + templateTokens
}

function isText (message: unknown): boolean {
  if (typeof message === 'string' || typeof message === 'number') return true
  if (typeof message !== 'object' || message === null) return false
  if (Array.isArray(message)) return message.every(isText)
  const { content } = message as { readonly content?: unknown }
  if (content === undefined || content === null || typeof content === 'string') return true
  return Array.isArray(content) && content.every(part =>
    typeof part === 'object' && part !== null && ['text', 'input_text', 'output_text'].includes(String((part as { readonly type?: unknown }).type)))
}
