import type { Need } from './contract.js'

/** Output-length fields that llama-server's routes know; the first of a route is the one that this route is sure to obey. */
const OUTPUT_FIELDS = ['n_predict', 'max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const

/** The path without query, trailing slash and `/v1`. */
export function routeName (path: string): string {
  return path.replace(/[?#].*$/, '').replace(/\/+$/, '').replace(/^\/v1(?=\/)/, '')
}

/** The output-length field that the route is sure to obey. */
export function outputField (path: string): string {
  switch (routeName(path)) {
    case '/responses': return 'max_output_tokens'
    case '/completion': case '/infill': return 'n_predict'
    case '/completions': return path.startsWith('/v1/') ? 'max_tokens' : 'n_predict'
    default: return 'max_tokens'
  }
}

/** Output-length fields present in this body with a usable bound (a number ≥ 0; −1 and −2 mean "no bound", L20). */
export function outputBounds (json: Readonly<Record<string, unknown>>): ReadonlyArray<{ readonly field: string, readonly tokens: number }> {
  return OUTPUT_FIELDS.filter(field => json[field] !== undefined && json[field] !== null).map(field => {
    const value = json[field]
    return { field, tokens: typeof value === 'number' && value >= 0 ? value : Infinity }
  })
}

/** How many prompts an array stands for; a plain array of token ids is one prompt. */
function prompts (value: unknown): number {
  if (!Array.isArray(value) || value.length === 0) return 1
  return value.every(item => typeof item === 'number') ? 1 : value.length
}

/** What this body asks of the server. Unknown shapes count as one place: llama-server itself judges them. */
export function needOf (path: string, json: Readonly<Record<string, unknown>>): Need {
  const bounds = outputBounds(json)
  const maxTokens = bounds.length === 0 ? Infinity : Math.min(...bounds.map(bound => bound.tokens))
  const name = routeName(path)
  const n = typeof json['n'] === 'number' && Number.isInteger(json['n']) && json['n'] > 1 ? json['n'] : 1
  if (/^\/(completions?|infill)$/.test(name)) return { maxTokens, places: n * prompts(json['prompt']) }
  if (/^\/embeddings?$/.test(name)) return { maxTokens: 0, places: prompts(json['input'] ?? json['content']) }
  if (/^\/rerank(ing)?$/.test(name)) return { maxTokens: 0, places: Math.max(1, prompts(json['documents'] ?? json['texts'])) }
  return { maxTokens, places: name === '/chat/completions' ? n : 1 }
}
