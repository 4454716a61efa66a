import { ofCondition } from '../gate.js'
import { middle } from '../window.js'
import { besideToAlone, greedyToOthers, jain, jainOfFairParts, ofOffered, overOnePlace, samplesBeside, tokensByCaller } from './fair-figures.js'
import { unbounded } from './leg.js'
import { openLoopEntry, withToWithout, type OpenLoopCheck } from './open-loop-claim.js'
import { SAME_MACHINE, sameMachine } from './same-machine.js'

const CALLS = 'load generator (calls.ndjson)'
/** A difference that would matter: of work, and of a wait. */
const MATTERS = { work: 1.1, wait: 1.25 }
/** Sockets to llama-server beyond one a place: the gateway's poller, the sampler, and calls that are just let go of. */
const POOLED = 4

const sockets: OpenLoopCheck = {
  id: 'sockets',
  metric: 'server-sockets',
  what: 'median sockets to llama-server, with fairness: what waited, waited in the gateway, where its turn is decided',
  source: 'ss (established TCP connections to llama-server’s port)',
  value: (views, plan) => middle(ofCondition(views, 'after').flatMap(view => samplesBeside(view, plan).flatMap(({ serverSockets }) => serverSockets ?? []))),
  band: (_draft, manifest) => [1, manifest.server.slots + POOLED]
}

const serverCpu: OpenLoopCheck = {
  id: 'server-cpu',
  metric: 'server-cpu',
  what: 'CPU time of llama-server per second, with fairness ÷ as they came: an order is no work',
  source: 'pidstat (%usr + %system)',
  value: views => withToWithout(views, ({ block: { tools } }) => tools?.pidstat === undefined ? null : tools.pidstat.cpuUsec / (tools.pidstat.toMs - tools.pidstat.fromMs)),
  band: () => [1 / MATTERS.work, MATTERS.work]
}

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
      source: CALLS,
      value: (views, plan) => besideToAlone(views, plan, 'after'),
      band: () => [0, 1.5],
      quiet: null
    },
    {
      id: 'jain-of-fair-parts',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served ÷ their max-min fair parts, with fairness (1: each its part; 1 ÷ callers: one has everything)',
      source: CALLS,
      value: (views, plan) => jainOfFairParts(views, plan, 'after'),
      band: () => [0.95, 1]
    },
    {
      id: 'ttft-p50',
      metric: 'ttft',
      what: 'median TTFT of the answered calls, with fairness ÷ as they came',
      source: CALLS,
      value: views => withToWithout(views, view => view.summary.ttftAnsweredP50Ms),
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
      source: `${CALLS}; processing times from llama-server’s timings`,
      value: (views, plan) => overOnePlace(views, plan, 'after'),
      band: () => [1 / MATTERS.work, MATTERS.work],
      quiet: null
    },
    {
      id: 'one-place-as-they-came',
      metric: 'ttft',
      what: 'the same as they came',
      source: `${CALLS}; processing times from llama-server’s timings`,
      value: (views, plan) => overOnePlace(views, plan, 'before'),
      band: () => [1 / MATTERS.work, MATTERS.work],
      quiet: null
    },
    sameMachine('with fairness ÷ as they came: the machine was the same', SAME_MACHINE.forAFactor)
  ],
  mechanism: [
    {
      id: 'greedy-to-others-fair',
      metric: 'tokens-per-caller',
      what: 'tokens that the greedy caller was served ÷ what each of the others was, with fairness: what they leave of the server',
      source: CALLS,
      value: (views, plan) => greedyToOthers(views, plan, 'after'),
      band: draft => ofOffered(draft, ({ others, callers }) => around((1 - others) / (others / callers), 0.4, 1.5)),
      quiet: null
    },
    {
      id: 'greedy-to-others-as-they-came',
      metric: 'tokens-per-caller',
      what: 'the same as they came: what it sends ÷ what each of the others does',
      source: CALLS,
      value: (views, plan) => greedyToOthers(views, plan, 'before'),
      band: draft => ofOffered(draft, ({ offered, others, callers }) => around((offered - others) / (others / callers), 0.7, 1.4)),
      quiet: null
    },
    {
      id: 'others-ttft-p95-as-they-came',
      metric: 'ttft',
      what: 'p95 of the TTFT of all offered calls of the others, as they came, beside the greedy caller ÷ before it came',
      source: CALLS,
      value: (views, plan) => besideToAlone(views, plan, 'before'),
      band: () => [3, unbounded],
      quiet: null
    },
    {
      id: 'jain-of-fair-parts-as-they-came',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served ÷ their max-min fair parts, as they came',
      source: CALLS,
      value: (views, plan) => jainOfFairParts(views, plan, 'before'),
      band: () => [0, 0.85],
      quiet: [0.95, 1]
    }
  ]
})

/** All ask for more than their share: then each gets as much as any other, and the tokens themselves are alike. */
export const fairSaturated = openLoopEntry({
  id: 'fair-shares-of-a-full-server',
  statement: 'Where every caller asks for more than its share and one for ten times as much as the others, all are served alike',
  quietStatement: 'Among equal callers fairness changes nothing',
  explanation: 'With as many callers as want something, and none of them content with less, the caller that was served least is always one that waits: the counters stay together, whatever each sends. Nothing is left for the one that sends most. As they came, who sends ten times as much is served ten times as much.',
  application: [
    {
      id: 'jain',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served, with fairness (1: all the same; 1 ÷ callers: one has everything)',
      source: CALLS,
      value: (views, plan) => jain([...tokensByCaller(views, plan, 'after').values()]),
      band: () => [0.95, 1]
    },
    {
      id: 'answered',
      metric: 'answered-per-second',
      what: 'answers per second, with fairness ÷ as they came: it costs nothing that matters',
      source: CALLS,
      value: views => withToWithout(views, view => view.summary.answeredPerSecond),
      band: () => [1 / MATTERS.work, unbounded]
    }
  ],
  os: [sockets, serverCpu],
  control: [sameMachine('with fairness ÷ as they came: the machine was the same', SAME_MACHINE.forAFactor)],
  mechanism: [
    {
      id: 'greedy-to-others-fair',
      metric: 'tokens-per-caller',
      what: 'tokens that the greedy caller was served ÷ what each of the others was, with fairness',
      source: CALLS,
      value: (views, plan) => greedyToOthers(views, plan, 'after'),
      band: () => [0.7, 1.4],
      quiet: null
    },
    {
      id: 'greedy-to-others-as-they-came',
      metric: 'tokens-per-caller',
      what: 'the same as they came: what it sends ÷ what each of the others does',
      source: CALLS,
      value: (views, plan) => greedyToOthers(views, plan, 'before'),
      band: () => [7, 14],
      quiet: null
    },
    {
      id: 'jain-as-they-came',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served, as they came',
      source: CALLS,
      value: (views, plan) => jain([...tokensByCaller(views, plan, 'before').values()]),
      band: () => [0, 0.6],
      quiet: [0.95, 1]
    }
  ]
})

function around (value: number, lo: number, hi: number): readonly [number, number] {
  return [lo * value, hi * value]
}
