import type { CallSample } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { judgedSamples, middle } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import type { OpenLoopDraft } from './contract.js'
import { POOLED } from './hidden-queue.js'
import { ratioOfSums } from './open-loop-checks.js'
import { LOAD, SOCKETS } from './sources.js'

/** The one condition. */
const ON = 'on'
/** The header is in whole seconds. */
const SECOND = 1

export const retryAfterCapped = openLoopEntry({
  id: 'retry-after-is-capped',
  statement: 'Under lasting overload nobody is told to wait for longer than the configured time, and those that can be given none within it are served as often as the server has room for',
  explanation: 'Where twice as much comes as can be served, and goes on coming, the line outside of the gateway would grow without end. It ends at the longest time that clients are told: who is refused then is told that time and has nothing kept for it. ' +
    'So those with a time are served when they come, and the others compete with newcomers for what is left: of second tries a part is served that is about what the server has for each that comes.',
  application: [
    {
      id: 'told-longest',
      metric: 'retry-after',
      what: 'longest Retry-After ÷ what is configured as longest',
      source: LOAD,
      value: (views, plan) => {
        const told = ofCondition(views, ON).flatMap(toldSeconds)
        const cap = capOf(plan)
        return told.length === 0 || cap === undefined ? null : Math.max(...told) / cap
      },
      band: () => [0.99, 1]
    },
    {
      id: 'served-at-second-try',
      metric: 'second-try-served',
      what: 'share of the second tries that were answered',
      source: LOAD,
      value: views => ratioOfSums(views, ON, view => secondTries(view).filter(({ outcome }) => outcome === 'answered').length, view => secondTries(view).length),
      band: draft => served(draft)
    },
    {
      id: 'answered-to-capacity',
      metric: 'answered-per-second',
      what: 'answers per second ÷ saturated capacity of the same block: what is kept for those who come back is not lost',
      source: LOAD,
      value: views => ratioOfSums(views, ON, ({ summary }) => summary.answeredPerSecond, ({ summary }) => summary.capacityPerSecond),
      band: () => [0.9, 1.2]
    }
  ],
  os: [{
    id: 'sockets',
    metric: 'server-sockets',
    what: 'median sockets to llama-server: those who were told to come back wait at home',
    source: SOCKETS,
    value: views => middle(ofCondition(views, ON).flatMap(view => judgedSamples(view.block).flatMap(({ serverSockets }) => serverSockets ?? []))),
    band: (_draft, { server }) => [1, server.slots + POOLED]
  }],
  control: [{
    id: 'served-of-those-without-a-time',
    metric: 'second-try-served',
    what: 'share of the second tries that were answered, of those that were told the longest time: most of them had nothing kept for them',
    source: LOAD,
    value: (views, plan) => ofTold(views, seconds => seconds >= (capOf(plan) ?? Infinity)),
    band: draft => [0, served(draft)[1]]
  }],
  mechanism: [{
    id: 'served-of-those-with-a-time',
    metric: 'second-try-served',
    what: 'the same of those that were told less: a part of the server was kept for them',
    source: LOAD,
    value: (views, plan) => ofTold(views, seconds => seconds <= (capOf(plan) ?? 0) - SECOND),
    band: () => [0.9, 1]
  }]
})

function capOf ({ conditions }: Pick<OpenLoopDraft, 'conditions'>): number | undefined {
  const cap = conditions[0]?.policyOptions?.['admission']?.['maxRetryAfterSeconds']
  return typeof cap === 'number' ? cap : undefined
}

function toldSeconds ({ judged }: OpenLoopView): number[] {
  return judged.flatMap(call => [...call.refusals ?? [], call].flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []))
}

/** Those that were not cut off by the end of the run. */
function secondTries ({ judged }: OpenLoopView): CallSample[] {
  return judged.filter(({ refusals = [], outcome }) => refusals.length > 0 && outcome !== 'unanswered')
}

function ofTold (views: readonly OpenLoopView[], isOne: (seconds: number) => boolean): number | null {
  const tries = ofCondition(views, ON).flatMap(secondTries).filter(({ refusals = [] }) => isOne(refusals[0]?.retryAfterSeconds ?? NaN))
  return tries.length < 30 ? null : tries.filter(({ outcome }) => outcome === 'answered').length / tries.length
}

/** What the server has for each that comes: of those offered a share is served at once, the rest at the second try, or not at all. */
function served ({ workload, calibration }: OpenLoopDraft): readonly [number, number] {
  const share = calibration.capacityPerSecond / workload.ratePerSecond
  return [0.6 * share, 1.5 * share]
}
