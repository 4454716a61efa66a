import httpProxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Agent } from 'undici'
import type { RouteClass } from '../policies/contract.js'
import type { Config } from './config-schema.js'
import { corsMethods } from './cors.js'
import type { Gateway } from './gateway.js'
import type { Caller } from './keys.js'
import { headersToClient, headersToUpstream } from './headers.js'
import { BodyTooLarge, LimitedBody } from './limited-body.js'
import { sendRefusal } from './own-routes.js'
import { Passage } from './passage.js'
import { passageHeader, watchingPassages } from './passage-dispatch.js'
import type { OwnRefusal } from './refusal.js'
import { routeClassOf } from './routes.js'

/** Everything that needs no slot of llama-server, as it is. Routes that act on its host end here, unless they are allowed. */
export async function registerPassThrough (app: FastifyInstance, gateway: Gateway): Promise<void> {
  const { config, upstream, log } = gateway.options
  const passages = new Map<string, Passage>()
  const passageOf = new WeakMap<FastifyRequest, Passage>()
  // No fixed number of connections (T22), no time limits of the client's (T14).
  const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0, connectTimeout: config.limits.connectTimeoutMs })
  app.addHook('onClose', async () => { await agent.destroy() })
  app.addHook('onRequest', (request, reply, done) => {
    const path = upstreamPath(request.raw.url ?? '/')
    const routeClass = routeClassOf(request.method, path, config.allowRoutes)
    const caller = gateway.keys.callerOf(request)
    const changes = routeClass === 'admin' && request.method !== 'GET' && caller.admin
    if (changes) gateway.backend.changed()
    const passage = new Passage(request, reply, routeClass, caller.name, gateway.clock, record => {
      passages.delete(passage.id)
      if (changes) gateway.backend.changed()
      gateway.metrics.addPass(record)
      log.write(record)
    })
    passages.set(passage.id, passage)
    passageOf.set(request, passage)
    reply.header('x-weir-id', passage.id)
    const refused = refusalBefore(request, path, routeClass, caller, config)
    if (refused === undefined) done()
    else sendRefusal(reply, refused)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const passage = passageOf.get(request)
    const reason = reply.getHeader('x-weir-reason')
    if (typeof reason === 'string') passage?.refused(reason)
    if (payload instanceof Buffer || typeof payload === 'string') passage?.sent(Buffer.byteLength(payload))
    done()
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    const limited = new LimitedBody(config.limits.bodyBytes)
    payload.on('error', error => { limited.destroy(error) })
    // Read to its end all the same, so that the client reads the answer.
    limited.on('error', () => { payload.resume() })
    done(null, payload.pipe(limited))
  })
  await app.register(httpProxy, {
    upstream: upstream.url,
    ...(config.cors === undefined ? {} : { httpMethods: [...corsMethods] }),
    undici: agent.compose(watchingPassages(passages)),
    proxyPayloads: false,
    disableRequestLogging: true,
    preHandler (request, reply, done) {
      const path = request.raw.url
      if (request.method !== 'GET' || (path !== '/metrics' && path !== '/slots')) return done()
      fromPoller(gateway, reply, path).catch((error: Error) => {
        passageOf.get(request)?.upstreamBroke()
        upstreamLost(gateway, reply, `did not answer ${path} (${error.message})`)
      })
    },
    replyOptions: {
      // Unless told otherwise it repeats a GET that got 503 ten times (T6).
      retryDelay: () => null,
      rewriteRequestHeaders (request, headers) {
        const names = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]))
        const flat = headersToUpstream(names, upstream.apiKey, gateway.keys.required)
        const rewritten: Record<string, string> = {}
        for (let index = 0; index + 1 < flat.length; index += 2) rewritten[String(flat[index])] = String(flat[index + 1])
        if (headers['content-length'] !== undefined) rewritten['content-length'] = String(headers['content-length'])
        rewritten[passageHeader] = passageOf.get(request as FastifyRequest)?.id ?? ''
        return rewritten
      },
      rewriteHeaders: headers => headersToClient(headers),
      onError (reply, { error }) {
        // Nobody waits for an answer, and it says nothing of upstream.
        if (reply.raw.destroyed) return
        if (causeOf(error) instanceof BodyTooLarge) return sendRefusal(reply, bodyTooLarge(config.limits.bodyBytes))
        upstreamLost(gateway, reply, `did not answer (${error.message})`)
      }
    }
  })
}

export function bodyTooLarge (limitBytes: number): OwnRefusal {
  return { status: 413, reason: 'body-too-large', message: `the request body is larger than ${limitBytes} bytes (limits.bodyBytes)` }
}

function refusalBefore (request: FastifyRequest, path: string, routeClass: RouteClass, caller: Caller, { limits }: Config): OwnRefusal | undefined {
  if (routeClass === 'blocked') return { status: 403, reason: 'blocked', message: `${path} acts on the server's host and is not served through the gateway; call llama-server directly, or name the route in the gateway's allowRoutes` }
  if (routeClass === 'admin' && !caller.admin) return { status: 403, reason: 'not-admin', message: `${path} shows or changes what all callers share, and the key "${caller.name}" may not use it; give its entry in apiKeys "admin": true, or use another key` }
  // llama-server would decode or shorten the path and run a call that no policy has seen.
  if (routeClass === 'generation' || routeClass === 'slot-bound') return { status: 400, reason: 'bad-request', message: `write the path of this route as ${path}, got ${request.raw.url}` }
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) return bodyTooLarge(limits.bodyBytes)
  return undefined
}

async function fromPoller (gateway: Gateway, reply: FastifyReply, path: '/metrics' | '/slots'): Promise<void> {
  const reading = await gateway.poller.read(path)
  const ageSeconds = Math.floor((gateway.clock.nowMs() - reading.atMs) / 1e3)
  await reply.code(reading.status).header('content-type', reading.contentType).header('age', ageSeconds).send(reading.body)
}

function upstreamLost (gateway: Gateway, reply: Parameters<typeof sendRefusal>[0], what: string): void {
  gateway.backend.lost()
  sendRefusal(reply, {
    status: 503,
    reason: 'upstream-lost',
    message: `llama-server at ${gateway.options.upstream.url} ${what}; try again later`,
    retryAfterSeconds: gateway.backend.retryAfterSeconds()
  })
}

/** The path as llama-server will see it: dots resolved as the proxy does, and then decoded. */
function upstreamPath (url: string): string {
  const written = url.split('?', 1)[0] ?? url
  const path = URL.canParse(`http://upstream${written}`) ? new URL(`http://upstream${written}`).pathname : written
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function causeOf (error: Error): unknown {
  return error.cause ?? error
}
