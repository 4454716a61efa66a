import type { Block } from '../../types.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { judgedSamples, middle } from '../window.js'
import { unbounded } from './leg.js'
import { openLoopEntry, ratioOfSums, withToWithout } from './open-loop-claim.js'

const CALLS = 'load generator (calls.ndjson)'
const RECORDS = 'the gateway’s records (gateway.ndjson)'
const SS = 'ss (TCP connections to llama-server’s port in state CLOSE-WAIT)'
const DEFERRED = 'llama-server’s gauge llamacpp:requests_deferred'
const MATTERS = 1.1
/** A stay in a slot that began so long before the load is no call of it, milliseconds: the clock of the log begins a moment after the process. */
const BEFORE_LOAD_MS = 100
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
      source: CALLS,
      value: views => withToWithout(views, view => view.summary.answeredPerSecond),
      band: () => [1 / MATTERS, unbounded],
      quiet: [1 / MATTERS, MATTERS]
    }
  ],
  os: [
    {
      id: 'close-wait-to-wasted',
      metric: 'server-sockets',
      what: 'time that llama-server kept sockets which their clients had closed ÷ slot-seconds that the gateway counts as wasted',
      source: SS,
      value: views => ratioOfSums(views, 'after', ({ block }) => closeWaitSeconds(block), ({ block }) => block.evidence.slotSecondsWasted ?? null),
      // A count every two or three seconds of something that lasts about one.
      band: () => [0.5, 1.6],
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
    {
      id: 'closed-loop-cpu',
      metric: 'closed-loop-cpu-per-token',
      what: 'CPU time per token in the closed loop before the load, kept ÷ given back: the machine was the same',
      source: '/proc/PID/stat of llama-server and content chunks of the load generator',
      value: views => withToWithout(views, view => view.summary.closedLoopCpuUsecPerToken),
      band: () => [1 / MATTERS, MATTERS]
    },
    {
      id: 'leavers',
      metric: 'left-share',
      what: 'share of the judged calls whose clients left, kept ÷ given back: as many left in both',
      source: CALLS,
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
      id: 'deferred-kept',
      metric: 'requests-deferred',
      what: 'mean number of calls in llama-server’s hidden queue, with places kept',
      source: DEFERRED,
      value: views => deferred(views, 'after'),
      band: () => [0, 0.1]
    },
    {
      id: 'deferred-given-back',
      metric: 'requests-deferred',
      what: 'the same with places given back',
      source: DEFERRED,
      value: views => deferred(views, 'before'),
      band: () => [0.15, unbounded],
      quiet: [0, 0.1]
    },
    {
      id: 'send-to-headers',
      metric: 'send-to-headers',
      what: 'mean time from sending a call to llama-server’s response headers, which come when a slot begins with it, kept ÷ given back',
      source: RECORDS,
      value: views => withToWithout(views, view => meanSendToHeadersMs(view)),
      band: () => [0, 0.8],
      quiet: [0.8, 1.25]
    }
  ]
})

/**
 * Slot-seconds from a client's leaving to the release of its slot, of those that left before the end. The log knows no ids of ours: slots begin with calls in the order in
 * which response headers come, and that pairs them; their median difference tells one clock from the other. Null where the log has other stays than the records.
 */
function wastedByLog ({ evidence, records, slotStays }: Block): number | null {
  const { loadFromMs, drainedAtMs, serverStart } = evidence
  if (slotStays === undefined || serverStart === undefined) return null
  const sent = records.flatMap(({ upstreamHeadersAtMs, overAtMs, reason }) => upstreamHeadersAtMs === undefined ? [] : [{ upstreamHeadersAtMs, overAtMs, left: reason === 'client-left' }])
    .sort((a, b) => a.upstreamHeadersAtMs - b.upstreamHeadersAtMs)
  const stays = slotStays.filter(({ fromMs }) => serverStart.launchedMs + fromMs >= loadFromMs - BEFORE_LOAD_MS && serverStart.launchedMs + fromMs <= drainedAtMs).sort((a, b) => a.fromMs - b.fromMs)
  if (sent.length === 0 || stays.length !== sent.length) return null
  const offsetMs = middle(sent.map(({ upstreamHeadersAtMs }, i) => upstreamHeadersAtMs - (stays[i]?.fromMs ?? NaN)))
  if (offsetMs === null) return null
  let wastedMs = 0
  sent.forEach(({ left, overAtMs }, i) => {
    const toMs = stays[i]?.toMs
    if (left && overAtMs < drainedAtMs - AT_THE_END_MS && toMs !== undefined) wastedMs += Math.max(0, toMs + offsetMs - overAtMs)
  })
  return wastedMs / 1000
}

function closeWaitSeconds ({ samples, evidence: { loadFromMs, drainedAtMs } }: Block): number | null {
  const counts = samples.flatMap(({ atMs, serverSocketsCloseWait }) => atMs < loadFromMs || atMs > drainedAtMs ? [] : serverSocketsCloseWait ?? [])
  const average = mean(counts)
  return average === null ? null : average * (drainedAtMs - loadFromMs) / 1000
}

/** Null when a valid block has no reading. */
function deferred (views: readonly OpenLoopView[], condition: string): number | null {
  const blocks = ofCondition(views, condition).map(view => mean(judgedSamples(view.block).flatMap(({ requestsDeferred }) => requestsDeferred ?? [])))
  return blocks.includes(null) ? null : mean(blocks.flatMap(value => value ?? []))
}

function meanSendToHeadersMs ({ block: { records, evidence: { judgedFromMs, judgedToMs } } }: OpenLoopView): number | null {
  return mean(records.flatMap(({ arrivedAtMs, admittedAtMs, upstreamHeadersAtMs }) =>
    arrivedAtMs < judgedFromMs || arrivedAtMs >= judgedToMs || admittedAtMs === undefined || upstreamHeadersAtMs === undefined ? [] : upstreamHeadersAtMs - admittedAtMs))
}

function mean (values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}
