import type { Block } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import { meanHiddenQueue, slotCalls } from '../slot-calls.js'
import { judgedSamples } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import { unbounded } from './leg.js'
import { ratioOfSums, withToWithout } from './open-loop-checks.js'
import { sameMachine } from './same-machine.js'
import { LOAD, RECORDS } from './sources.js'

const SS = 'ss (TCP connections to llama-server’s port in state CLOSE-WAIT)'
const HIDDEN = 'the gateway’s records (sent); llama-server’s log (slots released)'
const MATTERS = 1.1
/** Calls that are broken off when the patience ends are not leavers, and what they waste is not counted yet. */
const AT_THE_END_MS = 50

export const zombie = openLoopEntry({
  id: 'zombies-keep-their-places',
  statement: 'Calls whose clients left in mid-prefill keep their places until llama-server has let go of them, so that nothing waits in its hidden queue, and the slot-seconds that they waste are known',
  quietStatement: 'Where nobody leaves, it makes no difference when places are given back',
  explanation: 'llama-server notices only at a wait of a second that a client has left, and lets go of its slot only between two batches: until then the slot works on a prompt that nobody waits for. A place that is given back when the socket closes is a place that is not there: ' +
    'the next call is sent, finds no slot, and waits in llama-server’s own queue, where nobody can order, refuse or predict it. Kept until llama-server processes no more than the calls that run, a place is what it says, and the time in between is what was wasted.',
  application: [
    {
      id: 'wasted-to-log',
      metric: 'slot-seconds-wasted',
      what: 'slot-seconds that the gateway counts as wasted ÷ those of the same calls in llama-server’s own log, from the leaving to the release of the slot',
      source: 'weir_slot_seconds_wasted; llama-server’s log (launch_slot_, release)',
      value: views => ratioOfSums(views, 'after', ({ block }) => block.evidence.slotSecondsWasted ?? null, ({ block }) => wastedByLog(block)),
      band: () => [0.9, 1.1],
      quiet: null
    },
    {
      id: 'answered',
      metric: 'answered-per-second',
      what: 'answers per second, kept ÷ given back: it costs those who stay nothing that matters',
      source: LOAD,
      ...withToWithout(view => view.summary.answeredPerSecond),
      band: () => [1 / MATTERS, unbounded],
      quiet: [1 / MATTERS, MATTERS]
    }
  ],
  os: [
    {
      id: 'close-wait-of-leaver',
      metric: 'server-sockets',
      what: 'seconds for which llama-server kept the socket of a client that had left, for each that left, in both: it looks once a second, and keeps the slot at least as long',
      source: `${SS}; the gateway’s records`,
      value: closeWaitOfLeaver,
      // Half a second when clients leave at any time between two looks (llama-server: HTTP_POLLING_SECONDS), and a second at most; counted every two or three seconds, so some twenty times in four pairs.
      band: () => [0.25, 1],
      quiet: null
    },
    {
      id: 'close-wait',
      metric: 'server-sockets',
      what: 'mean number of sockets that their clients had closed and llama-server had not',
      source: SS,
      value: views => mean(ofCondition(views, 'after').flatMap(view => judgedSamples(view.block).flatMap(({ serverSocketsCloseWait }) => serverSocketsCloseWait ?? []))),
      band: null,
      quiet: [0, 0.1]
    }
  ],
  control: [
    sameMachine('kept ÷ given back: the machine was the same'),
    {
      id: 'leavers',
      metric: 'left-share',
      what: 'share of the judged calls whose clients left, kept ÷ given back: as many left in both',
      source: LOAD,
      value: views => {
        const [kept, givenBack] = ['after', 'before'].map(condition => ratioOfSums(views, condition, view => view.judged.filter(({ reason }) => reason === 'left').length, view => view.judged.length))
        return typeof kept === 'number' && typeof givenBack === 'number' && givenBack > 0 ? kept / givenBack : null
      },
      band: () => [0.75, 1.35],
      quiet: null
    }
  ],
  mechanism: [
    {
      id: 'hidden-kept',
      metric: 'hidden-queue',
      what: 'mean number of calls in llama-server’s hidden queue, sent and beyond its slots, with places kept',
      source: HIDDEN,
      value: (views, plan) => meanHiddenQueue(views, plan, 'after'),
      band: () => [0, 0.1]
    },
    {
      id: 'hidden-given-back',
      metric: 'hidden-queue',
      what: 'the same with places given back',
      source: HIDDEN,
      value: (views, plan) => meanHiddenQueue(views, plan, 'before'),
      band: () => [0.15, unbounded],
      quiet: [0, 0.1]
    },
    {
      id: 'send-to-headers',
      metric: 'send-to-headers',
      what: 'mean time from sending a call to llama-server’s response headers, which come when a slot begins with it, kept ÷ given back',
      source: RECORDS,
      ...withToWithout(view => meanSendToHeadersMs(view)),
      band: () => [0, 0.8],
      quiet: [0.8, 1.25]
    }
  ]
})

/** Slot-seconds from a client's leaving to the release of its slot, of those that left before the end. Null where the log has other stays than the records. */
function wastedByLog (block: Block): number | null {
  const calls = slotCalls(block)
  if (calls === null) return null
  return calls.reduce((sum, { record: { overAtMs, reason }, goneMs }) =>
    reason === 'client-left' && overAtMs < block.evidence.drainedAtMs - AT_THE_END_MS && goneMs !== undefined ? sum + Math.max(0, goneMs - overAtMs) / 1000 : sum, 0)
}

/** Both arms: what llama-server does is the same. Null where nobody left, or a block has no count. */
function closeWaitOfLeaver (views: readonly OpenLoopView[]): number | null {
  const blocks = ['before', 'after'].flatMap(condition => ofCondition(views, condition)).map(({ block }) => ({ seconds: closeWaitSeconds(block), leavers: leaversIn(block) }))
  if (blocks.some(({ seconds }) => seconds === null)) return null
  return ratio(blocks.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0), blocks.reduce((sum, { leavers }) => sum + leavers, 0))
}

function closeWaitSeconds ({ samples, evidence: { loadFromMs, drainedAtMs } }: Block): number | null {
  const counts = samples.flatMap(({ atMs, serverSocketsCloseWait }) => atMs < loadFromMs || atMs > drainedAtMs ? [] : serverSocketsCloseWait ?? [])
  const average = mean(counts)
  return average === null ? null : average * (drainedAtMs - loadFromMs) / 1000
}

/** Clients that left calls which were at llama-server, before the end. */
function leaversIn ({ records, evidence: { drainedAtMs } }: Block): number {
  return records.filter(({ reason, admittedAtMs, overAtMs }) => reason === 'client-left' && admittedAtMs !== undefined && overAtMs < drainedAtMs - AT_THE_END_MS).length
}

function meanSendToHeadersMs ({ block: { records, evidence: { judgedFromMs, judgedToMs } } }: OpenLoopView): number | null {
  return mean(records.flatMap(({ arrivedAtMs, admittedAtMs, upstreamHeadersAtMs }) =>
    arrivedAtMs < judgedFromMs || arrivedAtMs >= judgedToMs || admittedAtMs === undefined || upstreamHeadersAtMs === undefined ? [] : upstreamHeadersAtMs - admittedAtMs))
}

function mean (values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
