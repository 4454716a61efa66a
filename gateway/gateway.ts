import { createChain } from '../policies/chain.js'
import type { Answer, Call, Clock, PolicyInstance } from '../policies/contract.js'
import { UpstreamBackend } from './backend.js'
import { CallHandler } from './call-handler.js'
import { systemClock } from './clock.js'
import type { PolicyRegistry } from './config.js'
import type { Config } from './config-schema.js'
import { Drain } from './drain.js'
import { Keys } from './keys.js'
import { kvFullAsUnavailable, retryAfterKvFullMs } from './kv-full.js'
import { FileMemory } from './memory.js'
import { Metrics } from './metrics.js'
import { Poller } from './poller.js'
import type { GatewayLog } from './record-log.js'
import { Releases } from './release.js'
import type { Trace } from './trace.js'
import { UpstreamGet } from './upstream-get.js'
import { Upstream } from './upstream.js'
import { Watchdog } from './watchdog.js'

export interface GatewayOptions {
  readonly config: Config
  readonly upstream: { readonly url: string, readonly apiKey?: string | undefined }
  readonly registry: PolicyRegistry
  readonly log: GatewayLog
  readonly clock?: Clock
  /** Shortest time between two readings of llama-server's load, milliseconds; below 2000 only in front of a fake server (L8). Default 2000. */
  readonly pollIntervalMs?: number
  /** After this long without confirmation a broken-off call counts as over, milliseconds. Default 60000. */
  readonly releaseFallbackMs?: number
}

export interface ActivePolicy {
  readonly name: string
  readonly mode: 'on' | 'shadow'
  readonly instance: PolicyInstance
}

/** Time limit of the gateway's own questions to llama-server, milliseconds. */
const questionTimeoutMs = 10_000

/** All parts of the gateway behind its HTTP surface, put together. */
export class Gateway {
  readonly options: GatewayOptions
  readonly clock: Clock
  readonly keys: Keys
  readonly backend: UpstreamBackend
  readonly poller: Poller
  readonly releases: Releases
  readonly watchdog: Watchdog
  readonly policies: readonly ActivePolicy[]
  readonly upstream: Upstream
  readonly metrics: Metrics
  readonly drain: Drain
  readonly calls: CallHandler
  readonly #get: UpstreamGet
  readonly #memory: FileMemory

  constructor (options: GatewayOptions) {
    this.options = options
    const { config, upstream, registry, log } = options
    const clock = options.clock ?? systemClock
    this.clock = clock
    this.keys = new Keys(config.apiKeys)
    this.#get = new UpstreamGet(upstream.url, upstream.apiKey, questionTimeoutMs)
    this.poller = new Poller(this.#get, clock, options.pollIntervalMs ?? 2000)
    this.backend = new UpstreamBackend(this.#get, this.poller, clock)
    this.releases = new Releases({ clock, reader: this.poller, log: log.logger, firstLookMs: (options.pollIntervalMs ?? 2000) / 2, fallbackMs: options.releaseFallbackMs ?? 60_000 })
    this.watchdog = new Watchdog({ clock, reader: this.poller, log: log.logger, running: () => this.releases.running, stallMs: config.limits.stallTimeoutMs })
    this.#memory = new FileMemory(config.state.file, clock, log.logger)
    const port = { backend: this.backend, memory: this.#memory, clock, log: log.logger }
    this.policies = config.policies.map(({ name, mode = 'on', ...policyOptions }) => {
      const factory = registry[name]
      if (factory === undefined) throw new Error(`there is no policy "${name}"`)
      return { name, mode, instance: factory.create(policyOptions, port) }
    })
    this.upstream = new Upstream({
      ...upstream,
      dropCredentials: this.keys.required,
      clock,
      limits: config.limits,
      connectTimeoutMs: config.limits.connectTimeoutMs,
      releases: this.releases,
      watchdog: this.watchdog,
      slots: () => this.backend.props()?.totalSlots,
      onLost: () => { this.backend.lost() },
      retryAfterSeconds: () => this.backend.retryAfterSeconds()
    })
    const traces = new Map<string, Trace>()
    const innermost = async (call: Call): Promise<Answer> => {
      const trace = traces.get(call.id) ?? { resent: 0 }
      const sentAtMs = clock.nowMs()
      // The way of a call to upstream begins with its first chunk, which leaves nothing else in its record.
      trace.admittedAtMs ??= sentAtMs
      const answer = await this.upstream.send(call, call.chunk === true ? { resent: 0 } : trace)
      return kvFullAsUnavailable(answer, () => retryAfterKvFullMs(clock.nowMs() - sentAtMs, this.admissionGauges()?.['predictedWaitMs']) / 1e3)
    }
    this.drain = new Drain(clock, config.limits.drainTimeoutMs, () => { for (const { instance } of this.policies) instance.drain() })
    this.calls = new CallHandler({
      chain: createChain(this.policies.map(({ name, mode, instance }) => ({ name, mode, run: instance.run })), innermost, clock),
      traces,
      clock,
      backend: this.backend,
      drain: this.drain,
      log: log.logger,
      admissionGauges: () => this.admissionGauges(),
      onRecord: record => {
        this.metrics.add(record)
        log.write(record)
      }
    })
    this.metrics = new Metrics({
      inFlight: () => this.calls.inFlight,
      zombiePlaces: () => this.releases.zombiePlaces,
      wastedSeconds: () => this.releases.wastedSeconds,
      upstreamReady: () => this.backend.state === 'ready',
      stalledSeconds: () => (this.watchdog.stalledMs ?? 0) / 1e3,
      policies: () => this.policyGauges()
    }, clock, log.logger)
  }

  policyGauges (): Array<Pick<ActivePolicy, 'name' | 'mode'> & { readonly gauges: Readonly<Record<string, number>> }> {
    return this.policies.map(({ name, mode, instance }) => ({ name, mode, gauges: instance.gauges() }))
  }

  /** Of the policy that holds places; undefined where there is none, or only in the shadow. */
  admissionGauges (): Readonly<Record<string, number>> | undefined {
    return this.policies.find(({ name, mode }) => name === 'admission' && mode === 'on')?.instance.gauges()
  }

  /** Ends all connections to upstream and gives every place back. */
  async close (): Promise<void> {
    this.backend.close()
    this.watchdog.close()
    await this.upstream.close()
    await this.#get.close()
    this.releases.close()
    // Records of broken-off calls are written when their places are given back.
    await this.calls.idle()
    this.#memory.close()
  }
}
