import { routeName } from './need.js'

type Json = Readonly<Record<string, unknown>>

/** What templates render before the messages, and what else a prompt is made of, in the order in which it is rendered. */
const HEAD = ['tools', 'functions', 'system', 'instructions'] as const
const BODY = ['messages', 'input', 'prompt', 'input_extra', 'input_prefix', 'input_suffix'] as const

/**
 * A text that stands for the prompt of a call: two prompts share a prefix of tokens about as far as their texts do. The real tokens would cost two questions to
 * llama-server before each call, on the CPUs that it computes with; lengths in tokens follow from its own count of earlier prompts. Undefined where media are part
 * of the prompt, and on routes that are not generation: nothing is known of what the slot holds then.
 */
export function promptText (path: string, json: Json): string | undefined {
  if (/^\/(embeddings?|rerank(ing)?)$/.test(routeName(path)) || json['multimodal_data'] !== undefined) return undefined
  const lines: string[] = []
  for (const field of HEAD) if (json[field] !== undefined) lines.push(JSON.stringify(json[field]))
  for (const field of BODY) {
    const value = json[field]
    if (value === undefined || value === null) continue
    if (hasMedia(value)) return undefined
    if (typeof value === 'string') lines.push(value)
    // Without the closing bracket, so that a longer conversation begins with all of a shorter one.
    else if (Array.isArray(value)) lines.push(...value.map(item => typeof item === 'number' ? String(item) : JSON.stringify(item)))
    else lines.push(JSON.stringify(value))
  }
  return lines.length === 0 ? undefined : lines.join('\n')
}

/** Whether a message has a part that is not text. */
function hasMedia (value: unknown): boolean {
  return Array.isArray(value) && value.some(item => {
    const content: unknown = Reflect.get(Object(item), 'content')
    return Array.isArray(content) && content.some(part => !/text$|^tool_|^refusal$/.test(String(Reflect.get(Object(part), 'type') ?? 'text')))
  })
}
