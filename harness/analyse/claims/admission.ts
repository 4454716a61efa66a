import type { Prediction, PresetName } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { geometricMean, ratio } from '../ratio.js'
import { changesNothing, isBelowCapacity } from './below-capacity.js'
import { openLoopEntryOf, type CheckedClaim } from './checked-claim.js'
import { contrastCheck, type Band, type Checks } from './checks.js'
import type { OfOpenLoop, OpenLoopDraft } from './contract.js'
import { deferred, sockets, socketsAfter } from './hidden-queue.js'
import { both, unbounded } from './leg.js'
import { ttftWithinLimit } from './open-loop-checks.js'
import { LOAD, PROC_AND_TOKENS, SOCKETS } from './sources.js'

/** Overload at which a server without admission still gives next to nothing: a faster machine explains a gain only when it leaves less than this. */
const STILL_OVERLOADED = 1.25
/** A difference in CPU time per token that would matter. */
const MATTERS = 1.1
/** Lower end of the interval of good requests/s ÷ capacity, by what the pairs of a preset can tell on a machine whose speed varies; two pairs of `smoke` tell next to nothing. */
const GOOD_TO_CAPACITY: Readonly<Record<PresetName, number>> = { smoke: 0.85, laptop: 0.92, overnight: 0.97 }

/** Under overload admission turns nearly the whole capacity into good answers, because the queue moved out of llama-server. */
export const admission = openLoopEntryOf('admission-keeps-capacity-good', (draft, predicted = []) => isBelowCapacity(draft) ? changesNothing : { ...keepsCapacityGood, control: controlOfEarlierPlans(predicted) ?? control })

/**
 * Was the machine faster with admission? Between the arms the closed loops say it: under load alone, CPU time per token cannot tell a faster machine from calls that no
 * longer wait inside llama-server. Between a block's yardstick and its load the same block does.
 */
const control: Checks<OfOpenLoop> = [
  contrastCheck('closed-loop-cpu-per-token', 'lower end', {
    id: 'closed-loop-cpu-per-token-lower-end',
    what: 'CPU time per token in the closed loops of a block, with ÷ without admission, lower end of its interval: a machine that is faster with admission by less than that is still overloaded',
    source: PROC_AND_TOKENS,
    band: draft => [fastestRival(draft), unbounded]
  }),
  // No lower end: calls that wait inside llama-server cost it CPU (connections, templates, tokens), which admission saves; the more, the larger the overload.
  contrastCheck('server-cpu-per-token', 'ratio', {
    id: 'cpu-per-token-under-load',
    what: 'the same under load, ratio: llama-server needs no more of it with admission',
    source: PROC_AND_TOKENS,
    band: () => [0, MATTERS]
  }),
  {
    id: 'cpu-per-token-load-to-closed-loop',
    metric: 'server-cpu-per-token',
    what: 'with admission, under load ÷ in the closed loop of the same block: the machine did not get faster between the yardstick and what is held against it',
    source: PROC_AND_TOKENS,
    value: loadToClosedLoop,
    band: () => [1 / MATTERS, MATTERS]
  }
]

const keepsCapacityGood: Omit<CheckedClaim<OfOpenLoop>, 'id' | 'control'> = {
  statement: 'Under overload, admission turns nearly all of the server’s capacity into good answers because the queue moved out of llama-server',
  explanation: 'llama-server puts every request beyond its slots into one first-in-first-out queue without length limit, time limit or refusal. ' +
    'Offered more than its capacity, that queue grows for as long as the load lasts, each call waits for all before it, and soon every answer comes after its limit: ' +
    'the server works at full speed on answers that no longer count. Admission lets in as many calls as there are slots, keeps the rest outside in a queue that is ' +
    'short and bounded, and refuses at once what could not be answered in time. The server is as busy as before and not faster, but it works only on answers which count.',
  application: [
    contrastCheck('good-per-capacity', 'lower end', {
      id: 'good-per-capacity',
      what: 'good requests/s ÷ capacity of the same block with admission, lower end of the interval',
      source: LOAD,
      band: ({ preset }) => [GOOD_TO_CAPACITY[preset], unbounded]
    }),
    ttftWithinLimit
  ],
  os: [
    socketsAfter,
    {
      id: 'sockets-before-to-after',
      metric: 'server-sockets',
      what: 'sockets without ÷ with admission',
      source: SOCKETS,
      value: views => ratio(sockets(views, 'before'), Math.max(1, sockets(views, 'after') ?? NaN)),
      compared: views => both(sockets(views, 'before'), sockets(views, 'after')),
      band: () => [2, unbounded]
    }
  ],
  mechanism: [deferred('requests-deferred-after', 'after', [0, 0]), deferred('requests-deferred-before', 'before', [1, unbounded])]
}

/**
 * The likeliest other explanation of the gain is a machine that was faster in the blocks with admission. At twice the capacity one that is 1.3 times faster is still
 * overloaded half as much again, and an overloaded server without admission is what the claim is about; so the least CPU time per token, with ÷ without, follows from the overload.
 */
function fastestRival ({ workload, calibration }: OpenLoopDraft): number {
  return Math.min(1 / MATTERS, STILL_OVERLOADED * calibration.capacityPerSecond / workload.ratePerSecond)
}

/** Geometric mean over the blocks with admission; null when one of them has no reading. */
function loadToClosedLoop (views: readonly OpenLoopView[]): number | null {
  return geometricMean(ofCondition(views, 'after').map(({ summary: { serverCpuUsecPerToken: load, closedLoopCpuUsecPerToken: own } }) => ratio(load, own)))
}

const earlierIds = { closedLoop: 'closed-loop-cpu-per-token-ratio', load: 'cpu-per-token-ratio' } as const

/** Stored runs are judged by the bands that their plans named: then the whole intervals had to lie within a tenth, and the first plans demanded that under load and said nothing of the closed loop. */
function controlOfEarlierPlans (predicted: readonly Prediction[]): Checks<OfOpenLoop> | undefined {
  const bandOf = (id: string): Band | undefined => predicted.flatMap(({ id: own, lo, hi }): Band[] => own === id ? [[lo, hi]] : [])[0]
  const load = bandOf(earlierIds.load)
  if (load === undefined) return undefined
  const underLoad = wholeInterval('server-cpu-per-token', earlierIds.load, 'llama-server’s CPU time per generated token, with ÷ without admission')
  if (load[0] > 0) return underLoad
  return [...wholeInterval('closed-loop-cpu-per-token', earlierIds.closedLoop, 'the same in the closed loops of a block'), ...underLoad]
}

/** Ratio and both ends of its interval inside the band of one prediction. */
function wholeInterval (contrastId: string, id: string, what: string): Checks<OfOpenLoop> {
  const part = (which: 'ratio' | 'lower end' | 'upper end', text: string): Checks<OfOpenLoop>[0] => contrastCheck(contrastId, which, { id, what: text, source: PROC_AND_TOKENS, band: () => undefined })
  return [part('ratio', what), part('lower end', 'lower end of its interval'), part('upper end', 'upper end of its interval')]
}
