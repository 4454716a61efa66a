import type { Call } from '../policies/contract.js'
import { routeName } from '../policies/need.js'

/**
 * llama-server's own count for the two APIs whose system prompt and tool items `/apply-template` leaves out or does not take.
 * Undefined: the prompt is rendered and tokenized.
 */
export function countRouteOf (path: string): string | undefined {
  switch (routeName(path)) {
    case '/messages': return '/v1/messages/count_tokens'
    case '/responses': return '/v1/responses/input_tokens'
    default: return undefined
  }
}

/**
 * The prompts of a call as texts, or as token counts where the client sent token ids.
 * @param applyTemplate renders a chat body with the model's own template
 * @throws Error for routes whose prompt is not text (audio)
 */
export async function promptsOf (call: Call, applyTemplate: (json: unknown) => Promise<string>): Promise<ReadonlyArray<string | number>> {
  const { json } = call.body
  if (Array.isArray(json['messages'])) return [await applyTemplate(json)]
  if (json['prompt'] !== undefined) return several(json['prompt'])
  if (json['input_prefix'] !== undefined || json['input_suffix'] !== undefined) {
    return [`${textIn(json['input_prefix'])}${textIn(json['input_suffix'])}${textIn(json['input_extra'])}`]
  }
  if (json['documents'] !== undefined) {
    return several(json['documents']).map(document => typeof document === 'string' ? `${textIn(json['query'])}${document}` : document)
  }
  const input = json['input'] ?? json['content']
  if (input === undefined) throw new Error(`the prompt of ${call.path} cannot be counted: the body has no messages, prompt, input or content`)
  return several(input)
}

function several (value: unknown): Array<string | number> {
  if (!Array.isArray(value)) return [textIn(value)]
  if (value.every(item => typeof item === 'number')) return [value.length]
  return value.map(item => Array.isArray(item) && item.every(token => typeof token === 'number') ? item.length : textIn(item))
}

/** All text in a value of any shape: content parts, prompt objects, numbers of a mixed prompt as one token each. */
function textIn (value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return value.map(textIn).join(' ')
  const part = Reflect.get(value, 'text') ?? Reflect.get(value, 'content') ?? Reflect.get(value, 'prompt_string')
  return part === undefined ? '' : textIn(part)
}
