import { once } from 'node:events'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../policies/contract.js'
import type { PolicyRegistry } from './config.js'
import type { Config } from './config-schema.js'
import { Gateway } from './gateway.js'
import { OpenResponses } from './open-responses.js'
import { RecordLog } from './record-log.js'
import type { GatewayLog } from './record-log.js'
import { buildServer } from './server.js'

export interface Running {
  readonly url: string
  readonly gateway: Gateway
  /** Refuses what is new or waits, lets running calls finish within `limits.drainTimeoutMs`, then closes everything. Idempotent. */
  stop (): Promise<void>
}

export interface RunOptions {
  readonly config: Config
  readonly upstream: { readonly url: string, readonly apiKey?: string | undefined }
  readonly registry: PolicyRegistry
  readonly log?: GatewayLog
  readonly clock?: Clock
  readonly pollIntervalMs?: number
  readonly releaseFallbackMs?: number
}

/**
 * Starts the gateway in this process.
 * @throws Error in one line when it cannot listen
 */
export async function runGateway (options: RunOptions): Promise<Running> {
  const { config } = options
  const log = options.log ?? new RecordLog(config.log.file, config.log.level)
  const gateway = new Gateway({ ...options, log })
  const app = await buildServer(gateway)
  try {
    await gateway.backend.look()
    await app.listen({ host: config.listen.host, port: config.listen.port })
  } catch (error) {
    await app.close()
    await gateway.close()
    await log.close()
    throw listenError(error, config.listen)
  }
  const url = urlOf(app)
  const open = new OpenResponses(app.server)
  log.logger.info({ url, pid: process.pid, policies: config.policies.map(({ name }) => name) }, 'listening')
  await log.flush()
  let stopped: Promise<void> | undefined
  return { url, gateway, stop: () => { stopped ??= stop(app, gateway, log, open); return stopped } }
}

async function stop (app: FastifyInstance, gateway: Gateway, log: GatewayLog, open: OpenResponses): Promise<void> {
  gateway.drain.start()
  const { drainTimeoutMs } = gateway.options.config.limits
  const cutOff = setTimeout(() => { app.server.closeAllConnections() }, drainTimeoutMs)
  const serverClosed = once(app.server, 'close')
  app.server.close()
  // Connections that are kept, or that never sent a request, would hold the end up.
  open.none().then(() => { app.server.closeAllConnections() }, () => {})
  await serverClosed
  clearTimeout(cutOff)
  await app.close()
  await gateway.close()
  log.logger.info({}, 'stopped')
  await log.close()
}

function urlOf (app: FastifyInstance): string {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('the gateway listens on no TCP port')
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
}

function listenError (error: unknown, { host, port }: Config['listen']): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return new Error(`port ${port} on ${host} is in use; choose another with --port, or 0 for any free one`)
  if (code === 'EACCES') return new Error(`port ${port} on ${host} is not allowed for this user; choose one from 1024 up with --port`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return new Error(`${host} is not an address of this machine; choose another with --host`)
  return error instanceof Error ? error : new Error(String(error))
}
