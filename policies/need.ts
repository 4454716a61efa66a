import type { Need } from './contract.js'

/** Output-length fields that llama-server's routes know; the first of a route is the one that this route is sure to obey. */
const OUTPUT_FIELDS = ['n_predict', 'max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const

/** The path without query and trailing slash. */
export function routePath (path: string): string {
  return path.replace(/[?#].*$/, '').replace(/\/+$/, '')
}

/** The same without `/v1`. */
export function routeName (path: string): string {
  return routePath(path).replace(/^\/v1(?=\/)/, '')
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

/** Tokens at which the answer to this body is sure to end; Infinity where there is no bound, or llama-server might obey another one. */
export function sureBound (path: string, json: Readonly<Record<string, unknown>>): number {
  const bounds = outputBounds(json)
  const obeyed = bounds.find(({ field }) => field === outputField(path) || (field === 'max_completion_tokens' && routeName(path) === '/chat/completions'))
  return obeyed !== undefined && bounds.every(({ tokens }) => tokens === obeyed.tokens) ? obeyed.tokens : Infinity
}

/** Whether an array is one prompt: token ids, or ids and pieces of text mixed. Strings alone, or arrays, are a prompt each. */
export function isOnePrompt (value: readonly unknown[]): boolean {
  return value.length < 2 || (value.some(item => typeof item === 'number') && value.every(item => typeof item === 'number' || typeof item === 'string'))
}

function prompts (value: unknown): number {
  return !Array.isArray(value) || isOnePrompt(value) ? 1 : value.length
}

/** Vertex AI's route (llama-server in `AIP_MODE`): an array of bodies of other routes, each a task of its own. */
function needOfInstances (instances: unknown): Need {
  const bodies: readonly unknown[] = Array.isArray(instances) && instances.length > 0 ? instances : [{}]
  const maxTokens = bodies.map(body => Math.min(Infinity, ...outputBounds({ ...Object(body) }).map(({ tokens }) => tokens)))
  return { maxTokens: Math.max(...maxTokens), places: bodies.length }
}

/** What this body asks of the server. Unknown shapes count as one place: llama-server itself judges them. */
export function needOf (path: string, json: Readonly<Record<string, unknown>>): Need {
  const bounds = outputBounds(json)
  const maxTokens = bounds.length === 0 ? Infinity : Math.min(...bounds.map(bound => bound.tokens))
  const name = routeName(path)
  const n = typeof json['n'] === 'number' && Number.isInteger(json['n']) && json['n'] > 1 ? json['n'] : 1
  if (/^\/(completions?|infill)$/.test(name)) return { maxTokens, places: n * prompts(json['prompt']) }
  if (name === '/predict') return needOfInstances(json['instances'])
  if (/^\/embeddings?$/.test(name)) return { maxTokens: 0, places: prompts(json['input'] ?? json['content']) }
  if (/^\/rerank(ing)?$/.test(name)) return { maxTokens: 0, places: prompts(json['documents'] ?? json['texts']) }
  return { maxTokens, places: name === '/chat/completions' ? n : 1 }
}

/** Whether llama-server obeys `id_slot` on this route (it does not on `/v1/messages`), and the client left the choice to others. */
export function isNameable (path: string, json: Readonly<Record<string, unknown>>): boolean {
  const chosen = json['id_slot']
  return /^\/(completions?|infill|chat\/completions|responses)$/.test(routeName(path)) && (chosen === undefined || chosen === -1)
}
