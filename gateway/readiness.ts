import type { BackendState } from './backend.js'
import type { OwnRefusal } from './refusal.js'

/** What decides whether calls should be sent here now. */
export interface Condition {
  readonly upstreamUrl: string
  readonly draining: boolean
  readonly drainSeconds: number
  readonly backend: BackendState
  /** llama-server has unloaded its model; the next call loads it again. */
  readonly sleeping: boolean
  readonly awaySeconds: number
  /** Milliseconds without progress; undefined: it works, or has nothing to do. */
  readonly stalledMs: number | undefined
  /** A call that comes now would be refused. */
  readonly saturated: boolean
  /** Until the next place is free, milliseconds. */
  readonly nextPlaceMs: number
}

/** `sleeping` is ready: nothing but a call wakes llama-server. */
export type Readiness = { readonly status: 'ok' | 'sleeping' } | OwnRefusal

/** The first trouble in the order of how long it lasts, as a refusal with its `Retry-After`. */
export function readinessOf (now: Condition): Readiness {
  const { upstreamUrl, backend, stalledMs } = now
  if (now.draining) return notReady('draining', 'the gateway is being shut down', now.drainSeconds)
  if (backend === 'loading') return notReady('loading', 'llama-server loads its model', now.awaySeconds)
  if (backend === 'lost') return notReady('upstream-lost', `llama-server at ${upstreamUrl} does not answer`, now.awaySeconds)
  if (stalledMs !== undefined) {
    return notReady('stalled', `llama-server at ${upstreamUrl} has calls and has shown no progress for ${Math.round(stalledMs / 1e3)} s; it may hang, and a restart is what helps then`, 30)
  }
  if (now.saturated) return notReady('saturated', 'all places are taken and the line is full: a call that comes now is refused', Math.min(30, Math.max(1, now.nextPlaceMs / 1e3)))
  return { status: now.sleeping ? 'sleeping' : 'ok' }
}

function notReady (reason: string, message: string, retryAfterSeconds: number): OwnRefusal {
  return { status: 503, reason, message, retryAfterSeconds }
}
