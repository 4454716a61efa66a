import type { FastifyInstance } from 'fastify'
import { inDialectOf } from './error-dialect.js'
import { ownRefusal } from './refusal.js'
import type { OwnRefusal } from './refusal.js'
import type { Gateway } from './gateway.js'

/** Routes that answer without a key, for supervisors and load balancers. */
export const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/v1/health'])

/** The gateway's own routes: health, metrics, status. */
export function registerOwnRoutes (app: FastifyInstance, gateway: Gateway): void {
  const { backend, metrics, drain, clock } = gateway
  const startedAtMs = clock.nowMs()

  app.get('/livez', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    if (drain.draining) return sendRefusal(reply, { status: 503, reason: 'draining', message: 'the gateway is being shut down', retryAfterSeconds: drain.retryAfterSeconds })
    const state = await backend.check()
    if (state === 'ready') return { status: 'ok' }
    return sendRefusal(reply, {
      status: 503,
      reason: state === 'loading' ? 'loading' : 'upstream-lost',
      message: state === 'loading' ? 'llama-server loads its model' : `llama-server at ${gateway.options.upstream.url} does not answer`,
      retryAfterSeconds: backend.retryAfterSeconds()
    })
  })

  app.get('/weir/metrics', async (_request, reply) => {
    return await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  app.get('/weir/status', async () => ({
    upSeconds: Math.round((clock.nowMs() - startedAtMs) / 1e3),
    draining: drain.draining,
    upstream: { url: gateway.options.upstream.url, state: backend.state, ...backend.props(), load: backend.load() },
    inFlight: gateway.calls.inFlight,
    zombiePlaces: gateway.releases.zombiePlaces,
    slotSecondsWasted: gateway.releases.wastedSeconds,
    /** In run order. */
    policies: gateway.policyGauges(),
    /** Of the last one to two minutes. */
    latency: metrics.percentiles()
  }))
}

interface Replying {
  readonly request: { readonly raw: { readonly url?: string | undefined } }
  code (status: number): unknown
  headers (values: Readonly<Record<string, string | string[]>>): unknown
  send (body: Buffer): unknown
}

/** Sends a refusal of a route that does not go through the chain. */
export function sendRefusal<R extends Replying> (reply: R, refused: OwnRefusal): R {
  const { status, headers, body } = inDialectOf(reply.request.raw.url ?? '/', ownRefusal(refused))
  reply.code(status)
  reply.headers(headers)
  if (body instanceof Buffer) reply.send(body)
  return reply
}
