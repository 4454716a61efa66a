import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { CallRecord, Clock, PassRecord, Policy } from '../policies/contract.js'
import { policyFactories } from '../policies/index.js'
import { checkConfig } from './config.js'
import type { PolicyRegistry } from './config.js'
import type { GatewayLog } from './record-log.js'
import { runGateway } from './run.js'
import type { Running } from './run.js'

/** A gateway in this process for tests, with its records in memory. */
export interface TestGateway extends Running {
  readonly records: CallRecord[]
  /** Those of requests that went past the chain. */
  readonly passed: PassRecord[]
  readonly warnings: string[]
  /** Resolves when this many records were written. */
  recorded (count: number): Promise<void>
  recordedPasses (count: number): Promise<void>
}

export interface TestGatewayOptions {
  readonly upstream: string
  readonly apiKey?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly registry?: PolicyRegistry
  readonly releaseFallbackMs?: number
  /** Default: the system's. A `TurnClock` where something must come before a short time is over. */
  readonly clock?: Clock
  /** Default 20. */
  readonly pollIntervalMs?: number
}

export async function startTestGateway (options: TestGatewayOptions): Promise<TestGateway> {
  const registry = options.registry ?? policyFactories
  const calls = collector<CallRecord>()
  const passes = collector<PassRecord>()
  const warnings: string[] = []
  const log: GatewayLog = {
    logger: { info () {}, warn (_facts, message) { warnings.push(message) } },
    write (record) {
      if (record.msg === 'pass') passes.add(record)
      else calls.add(record)
    },
    async flush () {},
    async close () {}
  }
  const running = await runGateway({
    config: checkConfig({ listen: { port: 0 }, policies: [], ...options.config }, registry),
    upstream: { url: options.upstream, apiKey: options.apiKey },
    registry,
    log,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    pollIntervalMs: options.pollIntervalMs ?? 20,
    releaseFallbackMs: options.releaseFallbackMs ?? 60_000
  })
  return {
    ...running,
    records: calls.items,
    passed: passes.items,
    warnings,
    recorded: calls.reached,
    recordedPasses: passes.reached
  }
}

/** A registry of these functions as policies without options. */
export function registryOf (policies: Readonly<Record<string, Policy>>): PolicyRegistry {
  return Object.fromEntries(Object.entries(policies).map(([name, run]) => [name, {
    name, schema: { type: 'object', properties: {}, additionalProperties: false }, create: () => ({ run, gauges: () => ({}), drain () {} })
  }]))
}

function collector<T> (): { readonly items: T[], add (item: T): void, reached (count: number): Promise<void> } {
  const items: T[] = []
  const waiting: Array<{ count: number, resolve: () => void }> = []
  return {
    items,
    add (item) {
      items.push(item)
      for (const { count, resolve } of waiting) if (items.length >= count) resolve()
    },
    async reached (count) {
      if (items.length >= count) return
      await new Promise<void>(resolve => { waiting.push({ count, resolve }) })
    }
  }
}

/** An upstream that answers each request with bytes written by the test; the gateway's own questions (`/props`, `/metrics`) get 503. */
export interface RawUpstream {
  readonly url: string
  /** Every other request, head and body as received. */
  readonly requests: string[]
  readonly connections: () => number
  close (): Promise<void>
}

/** @param answer called for each other request, numbered from 1, with its number on its connection */
export async function startRawUpstream (answer: (socket: Socket, number: number, onConnection: number) => void): Promise<RawUpstream> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const server = createServer({ noDelay: true }, socket => {
    connections++
    sockets.add(socket)
    socket.on('close', () => { sockets.delete(socket) })
    socket.on('error', () => {})
    let text = ''
    let onConnection = 0
    socket.on('data', data => {
      text += data.toString('latin1')
      for (;;) {
        const headEnd = text.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0)
        if (text.length < headEnd + 4 + length) return
        const request = text.slice(0, headEnd + 4 + length)
        text = text.slice(request.length)
        if (/^GET \/(?:props|metrics|slots) /.test(request)) {
          socket.write('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n')
          continue
        }
        requests.push(request)
        answer(socket, requests.length, ++onConnection)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    async close () {
      for (const socket of sockets) socket.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    }
  }
}

export interface Posted {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  /** The connection broke before the body's end. */
  readonly broken: boolean
}

export async function post (url: string, body: string | object, headers: Record<string, string> = {}, signal?: AbortSignal): Promise<Posted> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal === undefined ? {} : { signal })
  })
  const parts: Uint8Array[] = []
  let broken = false
  try {
    for await (const part of response.body ?? []) parts.push(part)
  } catch {
    broken = true
  }
  return { status: response.status, headers: response.headers, bytes: Buffer.concat(parts), broken }
}

/** The message of an error body in llama-server's shape. */
export function messageOf (posted: Posted): string {
  const parsed: unknown = JSON.parse(posted.bytes.toString())
  return String(Reflect.get(Object(Reflect.get(Object(parsed), 'error')), 'message'))
}
