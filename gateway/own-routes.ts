import type { FastifyInstance } from 'fastify'
import type { BackendState } from './backend.js'
import { inDialectOf } from './error-dialect.js'
import { readinessOf } from './readiness.js'
import type { Readiness } from './readiness.js'
import { ownRefusal } from './refusal.js'
import type { OwnRefusal } from './refusal.js'
import type { Gateway } from './gateway.js'
import { statusPage } from './status-page.js'
import type { Status } from './status-page.js'

/** Routes that answer without a key, for supervisors and load balancers. */
export const openPaths: ReadonlySet<string> = new Set(['/livez', '/readyz', '/health', '/v1/health'])

/** The gateway's own routes: health, metrics, status. */
export function registerOwnRoutes (app: FastifyInstance, gateway: Gateway): void {
  const { backend, metrics, clock } = gateway
  const startedAtMs = clock.nowMs()

  app.get('/livez', async () => ({ status: 'ok' }))

  app.get('/readyz', async (_request, reply) => {
    const state = await backend.check()
    const readiness = readinessNow(gateway, state, state === 'ready' && await backend.sleeping())
    return 'reason' in readiness ? sendRefusal(reply, readiness) : readiness
  })

  app.get('/weir/metrics', async (_request, reply) => {
    return await reply.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })

  app.get('/weir/status', async (request, reply) => {
    const readiness = readinessNow(gateway, backend.state, false)
    const status: Status = {
      upSeconds: Math.round((clock.nowMs() - startedAtMs) / 1e3),
      ready: 'reason' in readiness ? readiness.reason : readiness.status,
      draining: gateway.drain.draining,
      upstream: { url: gateway.options.upstream.url, state: backend.state, ...backend.props(), load: backend.load() },
      inFlight: gateway.calls.inFlight,
      zombiePlaces: gateway.releases.zombiePlaces,
      slotSecondsWasted: gateway.releases.wastedSeconds,
      policies: gateway.policyGauges(),
      latency: metrics.percentiles()
    }
    reply.header('vary', 'accept')
    return request.headers.accept?.includes('text/html') === true ? await reply.type('text/html; charset=utf-8').send(statusPage(status)) : status
  })
}

function readinessNow (gateway: Gateway, backend: BackendState, sleeping: boolean): Readiness {
  const { saturated = 0, releaseIntervalMs = 0 } = gateway.admissionGauges() ?? {}
  return readinessOf({
    upstreamUrl: gateway.options.upstream.url,
    draining: gateway.drain.draining,
    drainSeconds: gateway.drain.retryAfterSeconds,
    backend,
    sleeping,
    awaySeconds: gateway.backend.retryAfterSeconds(),
    stalledMs: gateway.watchdog.stalledMs,
    saturated: saturated > 0,
    nextPlaceMs: releaseIntervalMs
  })
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
