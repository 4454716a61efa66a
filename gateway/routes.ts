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
  ...generation('done', '/v1/completions', '/chat/completions', '/v1/chat/completions', '/api/chat', '/v1/audio/transcriptions', '/audio/transcriptions', '/predict'),
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

const adminPaths = new Set(['/metrics', '/slots', '/lora-adapters'])
/** Adding, removing, loading and unloading models is for llama-server as a router. */
const adminWrites = /^\/(slots\/|props$|models$|models\/(load|unload)$)/
const special = /^\/(v1\/)?(chat\/completions\/control|stream)/
/** Tools that run on the server's host and a proxy into its network: not reachable through the gateway unless `allowRoutes` names them. */
export const hostRoutes = ['/tools', '/cors-proxy'] as const
const hostRoute = /^\/+(tools|cors-proxy)(?:\/|$)/i

/**
 * The class of a request by method and decoded path (no query string). Unknown routes are `free`: llama-server answers 404 without a slot.
 * @param allowed those of `hostRoutes` that are let through; they are `special` then, else `blocked`
 */
export function routeClassOf (method: string, path: string, allowed: readonly string[] = []): RouteClass {
  const host = hostRoute.exec(path)?.[1]
  if (host !== undefined) return allowed.includes(`/${host.toLowerCase()}`) ? 'special' : 'blocked'
  const callRoute = method === 'POST' ? callRouteOf.get(path) : undefined
  if (callRoute !== undefined) return callRoute.routeClass
  if (adminPaths.has(path) || ((method === 'POST' || method === 'DELETE') && adminWrites.test(path))) return 'admin'
  if (special.test(path)) return 'special'
  return 'free'
}
