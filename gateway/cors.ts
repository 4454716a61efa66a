import fastifyCors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import type { Config } from './config-schema.js'

/** What a page may read of an answer besides its body; browsers hide all other headers of ours. */
export const exposedHeaders = ['X-Weir-Id', 'X-Weir-Reason', 'X-Weir-Truncated', 'X-Weir-Cache', 'Age', 'Retry-After', 'Server-Timing'] as const
/** All that may be passed through. OPTIONS is answered here: a preflight cannot carry a key, and llama-server would allow every origin. */
export const corsMethods = ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'] as const

/**
 * Lets pages of other origins call this gateway from a browser: answers OPTIONS and sets the headers of all other answers, refusals too. Must
 * be registered before whatever refuses. Pages send their key in a header that they set themselves, so no credentials are allowed.
 */
export async function registerCors (app: FastifyInstance, { origins, maxAgeSeconds }: NonNullable<Config['cors']>): Promise<void> {
  await app.register(fastifyCors, {
    origin: origins,
    methods: [...corsMethods],
    exposedHeaders: [...exposedHeaders],
    maxAge: maxAgeSeconds,
    // Any OPTIONS gets an answer: the plugin's refusal of one that is no preflight is plain text.
    strictPreflight: false
  })
  // Answers of the chain are written past Fastify, which then sends nothing that stands on its reply.
  app.addHook('onRequest', (_request, reply, done) => {
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
    done()
  })
  if (origins === '*') return
  // What is passed through brings upstream's own Vary, which takes the place of the plugin's; caches must know of both.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    const vary = String(reply.getHeader('vary') ?? '')
    if (!/(?:^|[,\s])(?:origin|\*)(?:[,\s]|$)/i.test(vary)) reply.header('vary', vary === '' ? 'Origin' : `${vary}, Origin`)
    done()
  })
}
