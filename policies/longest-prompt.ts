import type { Call } from './contract.js'
import { isOnePrompt, routeName } from './need.js'
import { withJson } from './with-json.js'

/**
 * An array of prompts is one task for each at upstream, so what must fit into a slot is the longest of them: the call with
 * only that one (by JSON length), or the call itself when it has one prompt.
 */
export function withLongestPrompt (call: Call): Call {
  const several = severalPrompts(call)
  if (several === undefined) return call
  const { field, prompts } = several
  const lengths = prompts.map(prompt => JSON.stringify(prompt)?.length ?? 0)
  const longest: unknown = prompts[lengths.indexOf(Math.max(...lengths))]
  return withJson(call, { ...call.body.json, [field]: [longest] })
}

/** The prompts of a call that has several, and the field that they stand in. */
export function severalPrompts (call: Pick<Call, 'path' | 'body'>): { readonly field: string, readonly prompts: readonly unknown[] } | undefined {
  const field = promptsField(call)
  const prompts = field === undefined ? undefined : call.body.json[field]
  return field === undefined || !Array.isArray(prompts) || isOnePrompt(prompts) ? undefined : { field, prompts }
}

function promptsField (call: Pick<Call, 'path' | 'body'>): string | undefined {
  const name = routeName(call.path)
  const { json } = call.body
  if (/^\/(completions?|infill)$/.test(name)) return 'prompt'
  if (/^\/embeddings?$/.test(name)) return json['input'] === undefined ? 'content' : 'input'
  if (/^\/rerank(ing)?$/.test(name)) return json['documents'] === undefined ? 'texts' : 'documents'
  return undefined
}
