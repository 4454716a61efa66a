import { worstShare, worstToOverall } from '../class-shares.js'
import { gauge } from '../gauge.js'
import { ttftToLimitP95 } from '../ttft-to-limit.js'
import { openLoopEntry } from './checked-claim.js'
import { contrastCheck } from './checks.js'
import { unbounded } from './leg.js'
import { equivalentEnd, ratioOfSums, type OpenLoopCheck } from './open-loop-checks.js'
import { LOAD, RECORDS } from './sources.js'

const CPU = '/proc/PID/stat of llama-server and content chunks of the load generator'
const MATTERS = 1.1
/** The worst class's share of good answers ÷ that of all from which a class counts as treated alike. */
const ALIKE = 0.8
/** Sockets to llama-server beyond one a slot: the gateway's poller, kept-alive ones of its pool, and calls it is just letting go of. */
const POOLED = 4

const sameMachineByContrast: OpenLoopCheck = contrastCheck('closed-loop-cpu-per-token', 'ratio', {
  id: 'closed-loop-cpu',
  what: 'CPU time per generated token in the closed loops of a block, with ÷ without: the machine was as fast in both arms',
  source: CPU,
  band: () => [1 / MATTERS, MATTERS]
})

export const admissionUnequal = openLoopEntry({
  id: 'admission-serves-all-lengths',
  statement: 'Where calls differ in length, admission that balances its refusals over lengths turns nearly all of the server’s capacity into good work and gives every length class its part of it',
  explanation: 'A limit that fits a short prompt is a fraction of a second, one that fits a long prompt is seconds, and they share a server. A queue that is bounded by predicted time alone fills itself with the calls that can wait longest, the long ones; a server without any serves whoever ' +
    'still counts at the end of an endless line. Balanced admission counts, for each class of prompt lengths, how many of its calls were served of those that came, and refuses at once a call of a class that is ahead while others wait for places: each class gets its part, and the work that the ' +
    'server does remains as much. A long prompt is evaluated alone, so that a short one does not wait for it in a common batch.',
  application: [
    contrastCheck('good-work-per-capacity', 'lower end', {
      id: 'good-work-per-capacity',
      what: 'predicted service seconds of good answers per second ÷ those of the closed loop of the same block, with admission, lower end of the interval',
      source: LOAD,
      band: () => [0.9, unbounded]
    }),
    {
      id: 'worst-class-to-overall',
      metric: 'good-share',
      what: 'share of good answers of the worst length class ÷ that of all calls, with admission',
      source: LOAD,
      value: (views, plan) => worstToOverall(plan, views, 'after'),
      band: () => [ALIKE, unbounded]
    },
    {
      id: 'worst-class-without',
      metric: 'good-share',
      what: 'share of good answers of the worst length class without admission',
      source: LOAD,
      value: (views, plan) => worstShare(plan, views, 'before'),
      band: () => [0, 0.2]
    },
    {
      id: 'ttft-p95-within-limit',
      metric: 'ttft',
      what: 'p95 of TTFT ÷ limit of its class of the answered calls with admission',
      source: LOAD,
      value: (views, plan) => ttftToLimitP95(plan, views, 'after'),
      band: () => [0, 1]
    }
  ],
  os: [
    {
      id: 'sockets-after',
      metric: 'server-sockets',
      what: 'median sockets to llama-server with admission: one a slot, and those of the pool',
      source: 'ss (established TCP connections to llama-server’s port)',
      value: views => gauge(views, 'after', sample => sample.serverSockets),
      band: (_draft, manifest) => [0, manifest.server.slots + POOLED]
    },
    {
      id: 'sockets-before',
      metric: 'server-sockets',
      what: 'median sockets to llama-server without',
      source: 'ss (established TCP connections to llama-server’s port)',
      value: views => gauge(views, 'before', sample => sample.serverSockets),
      band: (_draft, manifest) => [2 * manifest.server.slots, unbounded]
    }
  ],
  control: [sameMachineByContrast],
  mechanism: [
    {
      id: 'deferred-after',
      metric: 'requests-deferred',
      what: 'median calls in llama-server’s hidden queue with admission',
      source: 'llama-server’s gauge llamacpp:requests_deferred',
      value: views => gauge(views, 'after', sample => sample.requestsDeferred),
      band: () => [0, 0]
    },
    {
      id: 'deferred-before',
      metric: 'requests-deferred',
      what: 'the same without',
      source: 'llama-server’s gauge llamacpp:requests_deferred',
      value: views => gauge(views, 'before', sample => sample.requestsDeferred),
      band: () => [1, unbounded]
    },
    {
      id: 'refused-for-balance',
      metric: 'refused-share',
      what: 'share of the refusals with admission that were made so that another length gets its part',
      source: RECORDS,
      value: views => ratioOfSums(views, 'after', ({ block }) => block.records.filter(({ reason }) => reason === 'balance').length, ({ block }) => block.records.filter(({ outcome }) => outcome === 'refused').length),
      band: () => [0.05, 1]
    }
  ]
})

/** Where there is nothing to mitigate. */
export const admissionUnequalLight = openLoopEntry({
  id: 'admission-unequal-at-light-load',
  statement: 'At light load admission that balances lengths changes nothing',
  explanation: 'Balance refuses a call only while others hold places and its class is ahead; where nearly every call is served no class is.',
  application: [equivalentEnd('good-per-second', 'good requests per second', 'lower end'), equivalentEnd('good-per-second', 'good requests per second', 'upper end')],
  os: [{
    id: 'sockets-after',
    metric: 'server-sockets',
    what: 'median sockets to llama-server with admission',
    source: 'ss (established TCP connections to llama-server’s port)',
    value: views => gauge(views, 'after', sample => sample.serverSockets),
    band: (_draft, manifest) => [0, manifest.server.slots + POOLED]
  }],
  control: [sameMachineByContrast],
  mechanism: [deferredGauge('before'), deferredGauge('after')]
})

function deferredGauge (arm: 'before' | 'after'): OpenLoopCheck {
  return {
    id: `deferred-${arm}`,
    metric: 'requests-deferred',
    what: `median calls in llama-server’s hidden queue ${arm === 'after' ? 'with' : 'without'} admission`,
    source: 'llama-server’s gauge llamacpp:requests_deferred',
    value: views => gauge(views, arm, sample => sample.requestsDeferred),
    band: () => [0, 0]
  }
}
