import type { Call } from './contract.js'
import { routeName } from './need.js'

/** Why a long prompt goes to upstream as one piece, in the record. */
export type WholeReason = 'route' | 'several prompts' | 'media' | 'prompt of mixed parts' | 'cache_prompt: false' | 'id_slot of its own' | 'lora' | 'not tokenized' | 'switched off' | 'shadow mode'

/** What can be seen of a call that keeps its prompt from being fed in chunks; undefined: nothing. */
export function wholeBecause ({ path, need, body: { json } }: Pick<Call, 'path' | 'need' | 'body'>): WholeReason | undefined {
  const name = routeName(path)
  if (!/^\/(completions?|chat\/completions)$/.test(name)) return 'route'
  if (need.places > 1) return 'several prompts'
  // The client wants its prompt evaluated anew.
  if (json['cache_prompt'] === false) return 'cache_prompt: false'
  if (json['id_slot'] !== undefined && json['id_slot'] !== -1) return 'id_slot of its own'
  // What is in a slot's cache holds for one set of adapters.
  if (json['lora'] !== undefined) return 'lora'
  if (name === '/chat/completions') return hasMedia(json['messages']) ? 'media' : undefined
  const prompt = json['prompt']
  if (typeof prompt === 'string' || (Array.isArray(prompt) && prompt.every(token => typeof token === 'number'))) return undefined
  return 'prompt of mixed parts'
}

/** Anything in a message that is not text. */
function hasMedia (messages: unknown): boolean {
  return Array.isArray(messages) && messages.some(message => {
    const content: unknown = Reflect.get(Object(message), 'content')
    return Array.isArray(content) && content.some(part => Reflect.get(Object(part), 'type') !== 'text')
  })
}
