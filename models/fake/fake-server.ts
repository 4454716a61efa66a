import { once } from 'node:events'
import { createServer } from 'node:http'
import { Core } from './core.js'
import type { Fault, FaultScope } from './fault.js'
import { settle, type FakeOptions } from './options.js'
import { handleRequest, type SeenRequest } from './request-handler.js'
import { Watch } from './watch.js'

export type { CallFault, Fault, FaultScope } from './fault.js'
export type { FakeOptions } from './options.js'
export type { SeenRequest } from './request-handler.js'
export { TEMPLATE_TOKENS_PER_CHAT, TEMPLATE_TOKENS_PER_MESSAGE } from './words.js'

export interface FakeStats {
  /** Requests of any kind whose body was read. */
  readonly received: number
  /** Busy slots; a call with `n` choices counts n times. */
  readonly running: number
  /** Tasks that wait for a slot; a call has one for each of its prompts. */
  readonly deferred: number
  /** Most busy slots there ever were at once. */
  readonly peakRunning: number
  /** Tasks that were answered whole. */
  readonly completed: number
  /** Calls whose connection was noticed to be lost before their answer's end; a running one still has its slot then. */
  readonly left: number
  /** Tasks whose client left, counted when their slots were given back or they left the queue. */
  readonly cancelled: number
  /** Tasks that ended with an error. */
  readonly failed: number
  readonly byPath: Readonly<Record<string, number>>
}

export interface FakeServer {
  readonly url: string
  readonly port: number
  /** A fresh snapshot at each reading. */
  readonly stats: FakeStats
  readonly requests: readonly SeenRequest[]
  /** The next call (`scope` says which and how many), or for `refuse`, `wedge` and `loading` the server, goes wrong. */
  fail (fault: Fault, scope?: FaultScope): Promise<void>
  /** Decodes nothing more; calls still start, queue and get their headers. */
  hold (): void
  /** Ends a hold (also `manual`), `refuse`, `wedge` and `loading`. */
  release (): Promise<void>
  /** One decode call, only while held: honours cancels, prefills up to a batch, gives each decoding slot a token. False: nothing to do. */
  step (): boolean
  /** Resolves when the stats are so. Rejects after `timeoutMs` (default 60000: only what never comes) with the stats in the message. */
  waitFor (condition: (stats: FakeStats) => boolean, timeoutMs?: number): Promise<void>
  close (): Promise<void>
}

/**
 * A llama-server of known speed on 127.0.0.1, for tests: its queue without limit, one shared step for all slots, cancels only
 * between steps, stream headers when the slot starts, its formats. The text means nothing.
 */
export async function startFakeServer (options: FakeOptions): Promise<FakeServer> {
  const settings = settle(options)
  const requests: SeenRequest[] = []
  const byPath: Record<string, number> = {}
  const watch = new Watch(() => statsNow())
  const core = new Core(settings, () => watch.changed())
  const { engine, pace } = core

  const server = createServer({ keepAliveTimeout: settings.keepAliveTimeoutMs, requestTimeout: 0 }, (message, response) => {
    const seen = (request: SeenRequest) => {
      requests.push(request)
      byPath[request.path] = (byPath[request.path] ?? 0) + 1
    }
    handleRequest(core, message, response, seen).finally(() => watch.changed())
  })
  const port = await listen(settings.port)
  let loadingTimer: NodeJS.Timeout | undefined
  if (settings.loadingMs > 0) {
    core.loading = true
    loadingTimer = setTimeout(() => { core.loading = false }, settings.loadingMs)
  }

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    get stats () { return statsNow() },
    hold: () => pace.hold(),
    step: () => pace.step(),
    waitFor: (condition, timeoutMs = 60_000) => watch.until(condition, timeoutMs),
    async fail (fault, scope = {}) {
      if (fault.kind === 'refuse') await stopListening()
      else if (fault.kind === 'loading') core.loading = true
      else if (fault.kind === 'wedge') {
        core.wedged = true
        pace.hold()
      } else core.faults.add(fault, scope)
    },
    async release () {
      core.loading = core.wedged = false
      for (const answer of core.hanging.splice(0)) answer()
      pace.release()
      if (!server.listening) await listen(port)
    },
    async close () {
      clearTimeout(loadingTimer)
      pace.hold()
      await stopListening()
    }
  }

  function statsNow (): FakeStats {
    const { completed, cancelled, failed, peakBusySlots } = engine.counts
    return {
      received: requests.length,
      running: engine.busySlots,
      deferred: engine.deferred,
      peakRunning: peakBusySlots,
      completed,
      left: core.left,
      cancelled,
      failed,
      byPath: { ...byPath }
    }
  }

  async function listen (wantedPort: number): Promise<number> {
    server.listen(wantedPort, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('fake llama-server: no TCP address after listening')
    return address.port
  }

  async function stopListening (): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}
