import { fastify } from 'fastify'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { answerClientError } from './client-error.js'
import { registerCors } from './cors.js'
import type { Gateway } from './gateway.js'
import { openPaths, registerOwnRoutes, sendRefusal } from './own-routes.js'
import { bodyTooLarge, registerPassThrough } from './pass-through.js'
import type { OwnRefusal } from './refusal.js'
import { callRoutes } from './routes.js'

/** The HTTP surface: own routes, calls that go through the chain, and everything else passed through. */
export async function buildServer (gateway: Gateway): Promise<FastifyInstance> {
  const { config } = gateway.options
  const app = fastify({
    logger: false,
    bodyLimit: config.limits.bodyBytes,
    // Draining answers with a reason of its own.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    trustProxy: config.listen.trustedProxies.length > 0 && config.listen.trustedProxies,
    clientErrorHandler: answerClientError
  })
  app.setErrorHandler<Error>((error, _request, reply) => sendRefusal(reply, refusalOf(error, config.limits.bodyBytes)))

  app.setNotFoundHandler((request, reply) => sendRefusal(reply, { status: 404, reason: 'no-route', message: `there is no ${request.method} ${request.raw.url} here; the path begins with a /` }))

  if (config.cors !== undefined) await registerCors(app, config.cors)

  if (gateway.keys.required) {
    app.addHook('onRequest', (request, reply, done) => {
      if (openPaths.has(pathOf(request)) || gateway.keys.holderOf(request.headers) !== undefined) return done()
      const refused = { status: 401, reason: 'no-key', message: 'this gateway needs an API key that it knows: send "Authorization: Bearer KEY"' }
      const route = callRoutes.find(({ path }) => request.method === 'POST' && path === pathOf(request))
      if (route === undefined) return sendRefusal(reply.header('www-authenticate', 'Bearer'), refused)
      reply.raw.setHeader('www-authenticate', 'Bearer')
      gateway.calls.refuse(request, reply, route, gateway.keys.callerOf(request), refused)
    })
  }

  registerOwnRoutes(app, gateway)

  await app.register(async scope => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body) })
    for (const route of callRoutes) {
      scope.post(route.path, {
        onRequest: (request, reply, done) => {
          const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
          if (encoding === 'identity') return done()
          gateway.calls.refuse(request, reply, route, gateway.keys.callerOf(request), { status: 415, reason: 'content-encoding', message: `the request body is compressed (content-encoding: ${encoding}); send it as it is` })
        },
        handler: (request, reply) => { gateway.calls.handle(request, reply, route, gateway.keys.callerOf(request)) },
        errorHandler: (error, request, reply) => {
          gateway.calls.refuse(request, reply, route, gateway.keys.callerOf(request), refusalOf(error, config.limits.bodyBytes))
        }
      })
    }
  })

  await app.register(async scope => { await registerPassThrough(scope, gateway) })
  return app
}

function pathOf (request: FastifyRequest): string {
  return request.raw.url?.split('?', 1)[0] ?? '/'
}

function refusalOf (error: Error, bodyBytes: number): OwnRefusal {
  const status = Number(Reflect.get(error, 'statusCode') ?? 500)
  if (status === 413) return bodyTooLarge(bodyBytes)
  return { status, reason: status < 500 ? 'bad-request' : 'fault', message: error.message }
}
