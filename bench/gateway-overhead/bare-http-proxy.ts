import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'

/** @fastify/http-proxy with nothing around it: what a Fastify user gets without Weir. Arguments: port, upstream URL. */
const [port = '0', upstream = ''] = process.argv.slice(2)
const app = Fastify()
await app.register(httpProxy, { upstream, undici: { connections: 1024 } })
await app.listen({ host: '127.0.0.1', port: Number(port) })
