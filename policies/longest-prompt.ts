import type { Call } from './contract.js'
import { isOnePrompt, routeName } from './need.js'

/**
 * An array of prompts is one task for each at upstream, so what must fit into a slot is the longest of them: the call with
 * only that one (by JSON length), or the call itself when it has one prompt.
 */
export function withLongestPrompt (call: Call): Call {
  const field = promptsField(call)
  const prompts = field === undefined ? undefined : call.body.json[field]
  if (field === undefined || !Array.isArray(prompts) || isOnePrompt(prompts)) return call
  const lengths = prompts.map(prompt => JSON.stringify(prompt)?.length ?? 0)
  const longest: unknown = prompts[lengths.indexOf(Math.max(...lengths))]
  const body = call.body.withJson({ ...call.body.json, [field]: [longest] })
  // Delegates to the call, whatever kind of object the gateway made.
  const single: Call = Object.create(call, { body: { value: body, enumerable: true, writable: true } })
  return single
}

function promptsField (call: Call): string | undefined {
  const name = routeName(call.path)
  const { json } = call.body
  if (/^\/(completions?|infill)$/.test(name)) return 'prompt'
  if (/^\/embeddings?$/.test(name)) return json['input'] === undefined ? 'content' : 'input'
  if (/^\/rerank(ing)?$/.test(name)) return json['documents'] === undefined ? 'texts' : 'documents'
  return undefined
}
