/** Checks of where calls wait: as sockets to llama-server, in its own queue, or outside. */
import type { OsSample } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { gauge } from '../gauge.js'
import type { Band } from './checks.js'
import type { OpenLoopCheck } from './open-loop-checks.js'
import { DEFERRED, SOCKETS } from './sources.js'

/** Sockets to llama-server beyond one a slot: the gateway's poller, the sampler, kept-alive ones of the pool, and calls that are just let go of. */
export const POOLED = 4

export const socketsAfter: OpenLoopCheck = {
  id: 'sockets-after',
  metric: 'server-sockets',
  what: 'median sockets to llama-server with admission: one a slot, and those of the pool',
  source: SOCKETS,
  value: views => sockets(views, 'after'),
  band: (_draft, { server: { slots } }) => [0, slots + POOLED]
}

/** Null when a block of the condition has no reading in its judged window. */
export function sockets (views: readonly OpenLoopView[], condition: string): number | null {
  return gauge(views, condition, ({ serverSockets }: OsSample) => serverSockets)
}

/** @param id in the plans of this claim */
export function deferred (id: string, condition: 'before' | 'after', [lo, hi]: Band): OpenLoopCheck {
  return {
    id,
    metric: 'requests-deferred',
    what: `median calls in llama-server’s hidden queue ${condition === 'after' ? 'with' : 'without'} admission`,
    source: DEFERRED,
    value: views => gauge(views, condition, ({ requestsDeferred }) => requestsDeferred),
    band: () => [lo, hi]
  }
}
