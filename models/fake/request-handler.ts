import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Core } from './core.js'
import { badRequest, loading, notFound, ServerError, wrongKey } from './error-body.js'
import { isRecord, type JsonRecord } from './json.js'
import { Reply } from './reply.js'
import { routeOf, type Route } from './routes.js'

/** A request as it came in. */
export interface SeenRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
  /** `performance.now()` when its body was complete. */
  readonly atMs: number
}

export async function handleRequest (core: Core, message: IncomingMessage, response: ServerResponse, seen: (request: SeenRequest) => void): Promise<void> {
  const body = await read(message)
  if (body === undefined) return
  const url = message.url ?? '/'
  const [path = '/'] = url.split('?')
  const method = message.method ?? 'GET'
  const route = routeOf(method, path)
  seen({ method, path, url, headers: message.headers, body, atMs: performance.now() })

  const fault = core.faults.take(path, route?.needsSlot ?? false)
  if (fault?.kind === 'hang-before-headers') return
  if (fault?.kind === 'reset-before-headers') {
    message.socket.resetAndDestroy()
    return
  }
  const reply = new Reply(response, fault)
  try {
    answer(core, message, route, reply, body)
  } catch (error) {
    if (!(error instanceof ServerError)) throw error
    reply.error(error)
  }
}

function answer (core: Core, message: IncomingMessage, route: Route | undefined, reply: Reply, body: Buffer): void {
  if (route?.open !== true && !hasKey(message, core.settings.apiKey)) throw wrongKey
  if (core.loading) throw loading
  if (route === undefined) throw notFound
  route.handle(core, reply, message.method === 'POST' ? parse(body) : {})
}

function hasKey (message: IncomingMessage, apiKey: string | undefined): boolean {
  return apiKey === undefined || message.headers.authorization === `Bearer ${apiKey}` || message.headers['x-api-key'] === apiKey
}

function parse (body: Buffer): JsonRecord {
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch (error) {
    throw badRequest(`[json.exception.parse_error.101] parse error: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!isRecord(value)) throw badRequest('[json.exception.type_error.302] type must be object')
  return value
}

/** `undefined`: the client left in mid-body. */
async function read (message: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Uint8Array[] = []
  try {
    for await (const part of message) parts.push(part)
  } catch {
    return undefined
  }
  return Buffer.concat(parts)
}
