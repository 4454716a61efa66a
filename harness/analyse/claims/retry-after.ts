import { nearestRank } from '../../stats/percentile.js'
import type { CallSample, OpenLoopPlan } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { busyCpus, busyCpusOf } from '../long-prompts.js'
import { limitMs, middle } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import type { OpenLoopDraft } from './contract.js'
import { unbounded } from './leg.js'
import { ratioOfSums, withToWithout } from './open-loop-checks.js'
import { sameMachine } from './same-machine.js'
import { LOAD, PIDSTAT } from './sources.js'

/** A difference that would matter. */
const MATTERS = 1.1
/** Second tries; fewer cannot tell nine in ten from eight. */
const TRIES_AT_LEAST = 60
/** Of the server's time admission gives so much away beforehand (policies/appointments.ts): written down here, since a prediction that takes it from the code it judges would follow each mistake there. */
const BOOKED_SHARE = 0.85

export const retryAfter = openLoopEntry({
  id: 'retry-after-is-kept',
  statement: 'Clients that a burst makes too many are told when their turn will be; those that come back then are served at their second try',
  quietStatement: 'Without a burst hardly anybody is refused, and it makes no difference when clients would come back',
  explanation: 'In a burst far more calls come than can be served, and those that are refused come again. A time that says only how long the line is now is the same for all of them: they return together, and most are refused again. So each is given a time at which a part of the server is kept for it, ' +
    'one after the other, and newcomers are let in only as far as nobody who is expected would have to wait for too long: the line goes on outside of the gateway. Who comes back after a constant second meets the same burst again.',
  application: [
    {
      id: 'served-at-second-try',
      metric: 'second-try-served',
      what: 'share of the second tries of calls that the burst made too many that were answered, when their clients came back as they were told',
      source: LOAD,
      value: (views, plan) => servedAtSecondTry(views, plan, 'after'),
      band: () => [0.9, 1],
      quiet: null
    },
    {
      id: 'came-back',
      metric: 'second-try-share',
      what: 'share of the refused calls of the burst whose second try was made in time to be seen: nobody was put off for longer than the load lasted',
      source: LOAD,
      value: (views, plan) => ratioOfSums(views, 'after', view => secondTries(view, plan).length, view => refusedOfBurst(view, plan).length),
      band: () => [0.95, 1],
      quiet: null
    },
    {
      id: 'second-try-ttft-p95',
      metric: 'second-try-ttft',
      what: 'p95 of the time from the second try to the first token ÷ limit, of those that were answered',
      source: LOAD,
      value: (views, plan) => secondTryTtftP95(views, plan),
      band: () => [0, 1],
      quiet: null
    },
    {
      id: 'answered',
      metric: 'answered-per-second',
      what: 'answers per second, as told ÷ after a second',
      source: LOAD,
      ...withToWithout(view => view.summary.answeredPerSecond),
      band: null,
      quiet: [1 / MATTERS, MATTERS]
    }
  ],
  os: [
    {
      id: 'server-busy-as-told',
      metric: 'busy-cpus',
      what: 'CPUs that llama-server kept busy in the judged window, as told: calls that come back in time are work for it to the end of the window',
      source: PIDSTAT,
      value: views => busyCpus(views, 'after'),
      band: (_draft, { server: { threads } }) => [0.9 * threads, unbounded],
      quiet: null
    },
    {
      id: 'server-cpu',
      metric: 'server-cpu',
      what: 'CPU time of llama-server in the judged window, as told ÷ after a second: else it has only what is offered from the end of the burst on',
      source: PIDSTAT,
      ...withToWithout(busyCpusOf),
      band: draft => busyBand(draft),
      quiet: [1 / MATTERS, MATTERS]
    }
  ],
  control: [
    {
      id: 'served-after-a-second',
      metric: 'second-try-served',
      what: 'share of the second tries that were answered, when clients came back after a constant second: the same burst',
      source: LOAD,
      value: (views, plan) => servedAtSecondTry(views, plan, 'before'),
      band: () => [0, 0.6],
      quiet: null
    },
    {
      id: 'offered',
      metric: 'offered-per-second',
      what: 'calls per second that were offered, as told ÷ after a second',
      source: LOAD,
      ...withToWithout(view => view.summary.offeredPerSecond),
      band: () => [0.99, 1.01]
    },
    sameMachine('as told ÷ after a second: the machine was the same')
  ],
  mechanism: [
    {
      id: 'second-try-wait-p50',
      metric: 'second-try-wait',
      what: 'median time from a refusal in the burst to the second try, seconds, as told: the line outside grows with what the burst brings and moves with what is kept for it',
      source: LOAD,
      value: (views, plan) => waitSeconds(views, plan, 'after', 0.5),
      band: draft => around(outsideSeconds(draft, 0.5), 0.5, 1.5),
      quiet: null
    },
    {
      id: 'second-try-wait-p95',
      metric: 'second-try-wait',
      what: 'p95 of the same',
      source: LOAD,
      value: (views, plan) => waitSeconds(views, plan, 'after', 0.95),
      band: draft => around(outsideSeconds(draft, 0.95), 0.6, 1.4),
      quiet: null
    },
    {
      id: 'second-try-wait-constant',
      metric: 'second-try-wait',
      what: 'median of the same, seconds, after a constant second',
      source: LOAD,
      value: (views, plan) => waitSeconds(views, plan, 'before', 0.5),
      band: () => [0.99, 1.1],
      quiet: null
    },
    {
      id: 'refused-share',
      metric: 'refused-share',
      what: 'share of the calls that were refused at their first try, without a burst',
      source: LOAD,
      value: views => ratioOfSums(views, 'after', ({ judged }) => judged.filter(wasRefused).length, ({ judged }) => judged.length),
      band: null,
      quiet: [0, 0.1]
    }
  ]
})

function wasRefused ({ outcome, refusals = [] }: CallSample): boolean {
  return outcome === 'refused' || refusals.length > 0
}

/** Calls intended while the burst lasted that were refused at their first try. */
function refusedOfBurst ({ block: { calls, evidence: { loadFromMs } } }: OpenLoopView, plan: OpenLoopPlan): CallSample[] {
  const { burst } = plan.workload
  if (burst === undefined) return []
  const fromMs = loadFromMs + burst.fromSeconds * 1000
  return calls.filter(call => call.phase === 'load' && call.intendedMs >= fromMs && call.intendedMs < fromMs + burst.seconds * 1000 && wasRefused(call))
}

/** Of them, those that came a second time and were not cut off by the end of the run. */
function secondTries (view: OpenLoopView, plan: OpenLoopPlan): CallSample[] {
  return refusedOfBurst(view, plan).filter(({ refusals = [], outcome }) => refusals.length > 0 && outcome !== 'unanswered')
}

function servedAtSecondTry (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const tries = ofCondition(views, condition).flatMap(view => secondTries(view, plan))
  return tries.length < TRIES_AT_LEAST ? null : tries.filter(({ outcome, refusals = [] }) => outcome === 'answered' && refusals.length === 1).length / tries.length
}

function secondTryTtftP95 (views: readonly OpenLoopView[], plan: OpenLoopPlan): number | null {
  const shares = ofCondition(views, 'after').flatMap(view => secondTries(view, plan)).flatMap(({ cls, outcome, firstMs, lastSentMs }) =>
    outcome !== 'answered' || firstMs === undefined || lastSentMs === undefined ? [] : (firstMs - lastSentMs) / limitMs(plan.workload, cls))
  return shares.length < TRIES_AT_LEAST ? null : nearestRank(Float64Array.from(shares).sort(), 0.95) ?? null
}

function waitSeconds (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string, quantile: number): number | null {
  const waits = ofCondition(views, condition).flatMap(view => secondTries(view, plan)).flatMap(({ refusals = [], lastSentMs }) => {
    const last = refusals.at(-1)
    return last === undefined || lastSentMs === undefined ? [] : (lastSentMs - last.doneMs) / 1000
  })
  if (waits.length < TRIES_AT_LEAST) return null
  return quantile === 0.5 ? middle(waits) : nearestRank(Float64Array.from(waits).sort(), quantile) ?? null
}

/** How long the line outside is after this part of the burst, seconds: what came in it, at the pace at which times are given, less the time that has passed. */
function outsideSeconds ({ workload: { ratePerSecond, burst }, calibration }: OpenLoopDraft, part: number): number | undefined {
  if (burst === undefined) return undefined
  const offered = (ratePerSecond + burst.ratePerSecond) / calibration.capacityPerSecond
  return Math.max(0, offered / BOOKED_SHARE - 1) * part * burst.seconds
}

function around (seconds: number | undefined, lo: number, hi: number): readonly [number, number] | undefined {
  return seconds === undefined ? undefined : [lo * seconds, hi * seconds]
}

/**
 * Busy all the time ÷ busy in the burst and for as much of the rest as is offered; a third of the gain is enough, since a server with fewer calls computes longer for each token: at 0.6 of its
 * capacity one was busy for 0.9 of the time.
 */
function busyBand ({ workload: { ratePerSecond, burst, windowSeconds }, calibration }: OpenLoopDraft): readonly [number, number] | undefined {
  if (burst === undefined) return undefined
  const burstPart = burst.seconds / windowSeconds
  const ratio = 1 / (burstPart + (1 - burstPart) * Math.min(1, ratePerSecond / calibration.capacityPerSecond))
  return [1 + 0.33 * (ratio - 1), 1.25 * ratio]
}
