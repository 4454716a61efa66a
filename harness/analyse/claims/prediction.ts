import { seededRandom, shuffled } from '../../stats/random.js'
import type { OpenLoopView } from '../block-summary.js'
import { threadsOf } from '../compute-threads.js'
import { ofCondition } from '../gate.js'
import { predictedCalls, type PredictedCall } from '../predictions.js'
import { judgedSamples, middle } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import { POOLED } from './hidden-queue.js'
import { unbounded } from './leg.js'
import { ratioOfSums } from './open-loop-checks.js'
import { PIDSTAT, RECORDS, SOCKETS } from './sources.js'

const BOTH = 'the gateway’s records (gateway.ndjson), joined with the load generator’s stamps (calls.ndjson)'
/** The one condition. */
const ON = 'on'
/** Fewer calls cannot tell 80 % from 70: their standard error alone is two in a hundred. */
const CALLS_AT_LEAST = 300
/** Of one depth. */
const OF_A_DEPTH = 60
/** Calls in front from which on a line is called deep. */
const DEEP = 2

export const prediction = openLoopEntry({
  id: 'prediction-holds-four-in-five',
  statement: 'The interval that the gateway predicts for a call’s time to first token holds four times in five, and it is an interval of that call',
  explanation: 'When a call arrives, the line in front of it is played forward on what calls like those in it cost, and how far such forecasts were wrong lately, at about this depth of the line, gives an interval around it. The errors of the calls in front add up, ' +
    'so the interval is wider behind a longer line. An interval that were only the spread of all times would cover four in five as well, but just as well when it is given to another call.',
  application: [
    {
      id: 'coverage',
      metric: 'ttft-interval-coverage',
      what: 'share of the answered calls whose TTFT, as their clients saw it, was inside the interval predicted at their arrival',
      source: BOTH,
      value: views => coverage(judged(views), CALLS_AT_LEAST),
      band: () => [0.75, 0.85]
    },
    {
      id: 'predicted-to-real',
      metric: 'ttft',
      what: 'sum of the predicted TTFTs ÷ sum of the real ones',
      source: BOTH,
      value: views => ratioOfSums(views, ON, view => sum(callsOf(view), ({ predictedMs }) => predictedMs), view => sum(callsOf(view), ({ clientMs, realMs }) => clientMs ?? realMs)),
      band: () => [0.8, 1.25]
    }
  ],
  os: [
    {
      id: 'sockets',
      metric: 'server-sockets',
      what: 'median sockets to llama-server: what waited, waited in the gateway, where its wait was predicted',
      source: SOCKETS,
      value: views => socketsOf(views),
      band: (_draft, { server }) => [1, server.slots + POOLED]
    },
    {
      id: 'cpus-used',
      metric: 'cpus-used',
      what: 'CPUs that llama-server used ÷ its threads: what was waited for is its work',
      source: PIDSTAT,
      value: (views) => ratioOfSums(views, ON, ({ block: { tools } }) => tools?.pidstat?.cpuUsec ?? null, ({ block }) => block.tools?.pidstat === undefined ? null : 1000 * (block.tools.pidstat.toMs - block.tools.pidstat.fromMs) * threadsOf(block)),
      band: () => [0.6, 1.05]
    }
  ],
  control: [
    {
      id: 'shuffled',
      metric: 'ttft-interval-coverage',
      what: 'share of the same calls inside the intervals that were predicted for others of the same block: what is known without knowing the call',
      source: RECORDS,
      value: views => coverage(ofCondition(views, ON).flatMap(shuffledOf), CALLS_AT_LEAST),
      band: () => [0, 0.65]
    }
  ],
  mechanism: [
    {
      id: 'error-by-depth',
      metric: 'ttft-prediction-error',
      what: `mean error of the prediction behind ${DEEP} calls or more ÷ behind none: the errors of those in front add up`,
      source: RECORDS,
      value: views => errorByDepth(judged(views)),
      band: () => [1.2, unbounded]
    },
    {
      id: 'coverage-behind-none',
      metric: 'ttft-interval-coverage',
      what: 'share inside the interval of the calls that met no line',
      source: RECORDS,
      value: views => coverage(judged(views).filter(({ depth }) => depth === 0), OF_A_DEPTH),
      band: () => [0.65, 0.95]
    },
    {
      id: 'coverage-behind-others',
      metric: 'ttft-interval-coverage',
      what: `the same behind ${DEEP} calls or more`,
      source: RECORDS,
      value: views => coverage(judged(views).filter(({ depth }) => depth >= DEEP), OF_A_DEPTH),
      band: () => [0.65, 0.95]
    }
  ]
})

type Judged = PredictedCall & { readonly interval: NonNullable<PredictedCall['interval']> }

/** Those that an interval was given for. */
function callsOf ({ block }: OpenLoopView): Judged[] {
  return predictedCalls(block).flatMap(call => call.interval === undefined ? [] : [{ ...call, interval: call.interval }])
}

function judged (views: readonly OpenLoopView[]): Judged[] {
  return ofCondition(views, ON).flatMap(callsOf)
}

function coverage (calls: readonly Judged[], atLeast: number): number | null {
  if (calls.length < atLeast) return null
  return calls.filter(({ interval, clientMs, realMs }) => (clientMs ?? realMs) >= interval.lowMs && (clientMs ?? realMs) <= interval.highMs).length / calls.length
}

/** Each call with the interval of another one. */
function shuffledOf (view: OpenLoopView): Judged[] {
  const calls = callsOf(view)
  const others = shuffled(seededRandom(view.summary.index), calls)
  return calls.map((call, i) => ({ ...call, interval: others[i]?.interval ?? call.interval }))
}

function errorByDepth (calls: readonly Judged[]): number | null {
  const errors = (ofDepth: (depth: number) => boolean): number | null => {
    const own = calls.filter(({ depth }) => ofDepth(depth))
    return own.length < OF_A_DEPTH ? null : sum(own, ({ realMs, predictedMs }) => Math.abs(realMs - predictedMs)) / own.length
  }
  const [behindNone, behindOthers] = [errors(depth => depth === 0), errors(depth => depth >= DEEP)]
  return behindNone === null || behindOthers === null || behindNone <= 0 ? null : behindOthers / behindNone
}

function socketsOf (views: readonly OpenLoopView[]): number | null {
  const blocks = ofCondition(views, ON).map(view => middle(judgedSamples(view.block).flatMap(({ serverSockets }) => serverSockets ?? [])))
  return blocks.includes(null) ? null : middle(blocks.flatMap(value => value ?? []))
}

function sum<T> (items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
