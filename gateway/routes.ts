import type { RouteClass } from '../policies/contract.js'

/** How a stream of this route announces its end, and therefore in which dialect an error event is written into it. */
export type StreamEnd = 'done' | 'stop' | 'response.completed' | 'message_stop'

export interface CallRoute {
  readonly path: string
  readonly routeClass: 'generation' | 'slot-bound'
  readonly streamEnd: StreamEnd
}

function generation (streamEnd: StreamEnd, ...paths: string[]): CallRoute[] {
  return paths.map(path => ({ path, routeClass: 'generation', streamEnd }))
}

/** POST routes that need a slot of llama-server and therefore go through the chain. Everything else is passed through. */
export const callRoutes: readonly CallRoute[] = [
  ...generation('stop', '/completion', '/completions', '/infill'),
  ...generation('done', '/v1/completions', '/chat/completions', '/v1/chat/completions', '/api/chat', '/v1/audio/transcriptions', '/audio/transcriptions'),
  ...generation('response.completed', '/v1/responses', '/responses'),
  ...generation('message_stop', '/v1/messages'),
  ...['/embedding', '/embeddings', '/v1/embeddings', '/rerank', '/reranking', '/v1/rerank', '/v1/reranking']
    .map((path): CallRoute => ({ path, routeClass: 'slot-bound', streamEnd: 'done' }))
]

const callRouteOf = new Map(callRoutes.map(route => [route.path, route]))

/** How a stream of this path (with or without query string) ends; undefined where nothing is generated. */
export function streamEndOf (path: string): StreamEnd | undefined {
  const route = callRouteOf.get(path.split('?', 1)[0] ?? path)
  return route?.routeClass === 'generation' ? route.streamEnd : undefined
}

const adminGets = new Set(['/metrics', '/slots'])
const adminPosts = /^\/(slots\/|lora-adapters$|props$|models\/(load|unload)$)/
const special = /^\/(v1\/)?(chat\/completions\/control|stream)/
/** Tools that run on the server's host and a proxy into its network: never reachable through the gateway. */
const blocked = /^\/+(tools|cors-proxy)(\/|$)/i

/** The class of a request by method and decoded path (no query string). Unknown routes are `free`: llama-server answers 404 without a slot. */
export function routeClassOf (method: string, path: string): RouteClass {
  if (blocked.test(path)) return 'blocked'
  const callRoute = method === 'POST' ? callRouteOf.get(path) : undefined
  if (callRoute !== undefined) return callRoute.routeClass
  if (adminGets.has(path) || (method === 'POST' && adminPosts.test(path))) return 'admin'
  if (special.test(path)) return 'special'
  return 'free'
}
