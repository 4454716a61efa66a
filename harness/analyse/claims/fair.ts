import { ofCondition } from '../gate.js'
import { middle } from '../window.js'
import { openLoopEntry } from './checked-claim.js'
import { besideToAlone, greedyToOthers, jain, jainOfFairParts, ofOffered, overOnePlace, samplesBeside, tokensByCaller } from './fair-figures.js'
import { POOLED } from './hidden-queue.js'
import { unbounded } from './leg.js'
import { withToWithout, type OpenLoopCheck } from './open-loop-checks.js'
import { sameMachine } from './same-machine.js'
import { LOAD, PIDSTAT, SOCKETS } from './sources.js'

/** A difference that would matter: of work, and of a wait. */
const MATTERS = { work: 1.1, wait: 1.25 }
/** Jain's index from which callers are served alike. */
const ALIKE = [0.95, 1] as const

const sockets: OpenLoopCheck = {
  id: 'sockets',
  metric: 'server-sockets',
  what: 'median sockets to llama-server, with fairness: what waited, waited in the gateway, where its turn is decided',
  source: SOCKETS,
  value: (views, plan) => middle(ofCondition(views, 'after').flatMap(view => samplesBeside(view, plan).flatMap(({ serverSockets }) => serverSockets ?? []))),
  band: (_draft, manifest) => [1, manifest.server.slots + POOLED]
}

const serverCpu: OpenLoopCheck = {
  id: 'server-cpu',
  metric: 'server-cpu',
  what: 'CPU time of llama-server per second, with fairness ÷ as they came: an order is no work',
  source: PIDSTAT,
  ...withToWithout(({ block: { tools } }) => tools?.pidstat === undefined ? null : tools.pidstat.cpuUsec / (tools.pidstat.toMs - tools.pidstat.fromMs)),
  band: () => [1 / MATTERS.work, MATTERS.work]
}

type Band = OpenLoopCheck['band']

/** Tokens that the greedy caller was served ÷ what each of the others was. */
function greedyCheck (arm: 'fair' | 'as-they-came', what: string, band: Band): OpenLoopCheck {
  return { id: `greedy-to-others-${arm}`, metric: 'tokens-per-caller', what, source: LOAD, value: (views, plan) => greedyToOthers(views, plan, arm === 'fair' ? 'after' : 'before'), band, quiet: null }
}

/** On the quiet host all are served alike in both arms. */
function jainCheck (id: string, of: string, figure: OpenLoopCheck['value'], band: readonly [number, number]): OpenLoopCheck {
  return { id, metric: 'jain-index', what: `Jain’s index of ${of} (1: all the same; 1 ÷ callers: one has everything)`, source: LOAD, value: figure, band: () => band, quiet: ALIKE }
}

const tokensAlike = (condition: string): OpenLoopCheck['value'] => (views, plan) => jain([...tokensByCaller(views, plan, condition).values()])
const machine = sameMachine('with fairness ÷ as they came: the machine was the same')

export const fair = openLoopEntry({
  id: 'fair-shares-hold',
  statement: 'When one caller sends ten times what the others do, those wait hardly longer than they did before it came, and all get their part of the tokens',
  quietStatement: 'Among equal callers fairness changes nothing',
  explanation: 'In a line in which calls stand as they came, who sends most gets most, and the others wait behind its calls. With a counter of tokens for each caller, and the one that was served least next, a call of the others waits for the call that is running and for the few in front of it, ' +
    'however many of the greedy caller’s stand in the line: those wait for one another. What the others were served alone is measured in the same block, before the greedy caller comes.',
  application: [
    {
      id: 'others-ttft-p95',
      metric: 'ttft',
      what: 'p95 of the TTFT of all offered calls of the others, with fairness, beside the greedy caller ÷ before it came',
      source: LOAD,
      value: (views, plan) => besideToAlone(views, plan, 'after'),
      band: () => [0, 1.5],
      quiet: null
    },
    jainCheck('jain-of-fair-parts', 'the tokens that the callers were served ÷ their max-min fair parts, with fairness', (views, plan) => jainOfFairParts(views, plan, 'after'), ALIKE),
    {
      id: 'ttft-p50',
      metric: 'ttft',
      what: 'median TTFT of the answered calls, with fairness ÷ as they came',
      source: LOAD,
      ...withToWithout(view => view.summary.ttftAnsweredP50Ms),
      band: null,
      quiet: [1 / MATTERS.wait, MATTERS.wait]
    }
  ],
  os: [sockets, serverCpu],
  control: [
    {
      id: 'one-place-fair',
      metric: 'ttft',
      what: 'mean TTFT of the others before the greedy caller came, with fairness ÷ that of one place which takes the same calls as they came: an order makes nobody faster, it only says who is',
      source: `${LOAD}; processing times from llama-server’s timings`,
      value: (views, plan) => overOnePlace(views, plan, 'after'),
      band: () => [1 / MATTERS.work, MATTERS.work],
      quiet: null
    },
    {
      id: 'one-place-as-they-came',
      metric: 'ttft',
      what: 'the same as they came',
      source: `${LOAD}; processing times from llama-server’s timings`,
      value: (views, plan) => overOnePlace(views, plan, 'before'),
      band: () => [1 / MATTERS.work, MATTERS.work],
      quiet: null
    },
    machine
  ],
  mechanism: [
    greedyCheck('fair', 'tokens that the greedy caller was served ÷ what each of the others was, with fairness: what they leave of the server',
      draft => ofOffered(draft, ({ others, callers }) => around((1 - others) / (others / callers), 0.4, 1.5))),
    greedyCheck('as-they-came', 'the same as they came: what it sends ÷ what each of the others does',
      draft => ofOffered(draft, ({ offered, others, callers }) => around((offered - others) / (others / callers), 0.7, 1.4))),
    {
      id: 'others-ttft-p95-as-they-came',
      metric: 'ttft',
      what: 'p95 of the TTFT of all offered calls of the others, as they came, beside the greedy caller ÷ before it came',
      source: LOAD,
      value: (views, plan) => besideToAlone(views, plan, 'before'),
      band: () => [3, unbounded],
      quiet: null
    },
    jainCheck('jain-of-fair-parts-as-they-came', 'the same, as they came', (views, plan) => jainOfFairParts(views, plan, 'before'), [0, 0.85])
  ]
})

/** All ask for more than their share: then each gets as much as any other, and the tokens themselves are alike. */
export const fairSaturated = openLoopEntry({
  id: 'fair-shares-of-a-full-server',
  statement: 'Where every caller asks for more than its share and one for ten times as much as the others, all are served alike',
  quietStatement: 'Among equal callers fairness changes nothing',
  explanation: 'With as many callers as want something, and none of them content with less, the caller that was served least is always one that waits: the counters stay together, whatever each sends. Nothing is left for the one that sends most. As they came, who sends ten times as much is served ten times as much.',
  application: [
    jainCheck('jain', 'the tokens that the callers were served, with fairness', tokensAlike('after'), ALIKE),
    {
      id: 'answered',
      metric: 'answered-per-second',
      what: 'answers per second, with fairness ÷ as they came: it costs nothing that matters',
      source: LOAD,
      ...withToWithout(view => view.summary.answeredPerSecond),
      band: () => [1 / MATTERS.work, unbounded]
    }
  ],
  os: [sockets, serverCpu],
  control: [machine],
  mechanism: [
    greedyCheck('fair', 'tokens that the greedy caller was served ÷ what each of the others was, with fairness', () => [0.7, 1.4]),
    greedyCheck('as-they-came', 'the same as they came: what it sends ÷ what each of the others does', () => [7, 14]),
    jainCheck('jain-as-they-came', 'the same, as they came', tokensAlike('before'), [0, 0.6])
  ]
})

function around (value: number, lo: number, hi: number): readonly [number, number] {
  return [lo * value, hi * value]
}
