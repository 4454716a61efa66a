import httpProxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Agent } from 'undici'
import type { Gateway } from './gateway.js'
import { headersToClient, headersToUpstream } from './headers.js'
import { sendRefusal } from './own-routes.js'
import { routeClassOf } from './routes.js'

/** Everything that needs no slot of llama-server, as it is. Blocked routes end here. */
export async function registerPassThrough (app: FastifyInstance, gateway: Gateway): Promise<void> {
  const { config, upstream } = gateway.options
  // No fixed number of connections (T22), no time limits of the client's (T14).
  const agent = new Agent({ connections: null, headersTimeout: 0, bodyTimeout: 0, connectTimeout: config.limits.connectTimeoutMs })
  app.addHook('onClose', async () => { await agent.destroy() })
  await app.register(httpProxy, {
    upstream: upstream.url,
    undici: agent,
    disableRequestLogging: true,
    preHandler (request, reply, done) {
      const path = decodedPath(request.raw.url ?? '/')
      if (routeClassOf(request.method, path) === 'blocked') {
        sendRefusal(reply, { status: 403, reason: 'blocked', message: `${path} acts on the server's host and is not served through the gateway; call llama-server directly` })
        return
      }
      if (Number(request.headers['content-length'] ?? 0) > config.limits.bodyBytes) {
        sendRefusal(reply, bodyTooLarge(config.limits.bodyBytes))
        return
      }
      if (request.method === 'GET' && (request.raw.url === '/metrics' || request.raw.url === '/slots')) {
        fromPoller(gateway, reply, request.raw.url).catch(done)
        return
      }
      done()
    },
    replyOptions: {
      // Unless told otherwise it repeats a GET that got 503 ten times (T6).
      retryDelay: () => null,
      rewriteRequestHeaders (_request, headers) {
        const names = new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]))
        const flat = headersToUpstream(names, upstream.apiKey, gateway.keys.required)
        const rewritten: Record<string, string> = {}
        for (let index = 0; index + 1 < flat.length; index += 2) rewritten[String(flat[index])] = String(flat[index + 1])
        if (headers['content-length'] !== undefined) rewritten['content-length'] = String(headers['content-length'])
        return rewritten
      },
      rewriteHeaders: headers => headersToClient(headers),
      onError (reply, { error }) {
        gateway.backend.lost()
        sendRefusal(reply, {
          status: 503,
          reason: 'upstream-lost',
          message: `llama-server at ${upstream.url} did not answer (${error.message}); try again later`,
          retryAfterSeconds: gateway.backend.retryAfterSeconds()
        })
      }
    }
  })
}

export function bodyTooLarge (limitBytes: number): { status: number, reason: string, message: string } {
  return { status: 413, reason: 'body-too-large', message: `the request body is larger than ${limitBytes} bytes (limits.bodyBytes)` }
}

async function fromPoller (gateway: Gateway, reply: FastifyReply, path: '/metrics' | '/slots'): Promise<void> {
  try {
    const reading = await gateway.poller.read(path)
    const ageSeconds = Math.floor((gateway.clock.nowMs() - reading.atMs) / 1e3)
    await reply.code(reading.status).header('content-type', reading.contentType).header('age', ageSeconds).send(reading.body)
  } catch (error) {
    gateway.backend.lost()
    const message = `llama-server at ${gateway.options.upstream.url} did not answer ${path} (${error instanceof Error ? error.message : String(error)})`
    sendRefusal(reply, { status: 503, reason: 'upstream-lost', message, retryAfterSeconds: gateway.backend.retryAfterSeconds() })
  }
}

function decodedPath (url: string): string {
  const path = url.split('?', 1)[0] ?? url
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
