import type { CallSample, OpenLoopWorkload, Plan } from '../../types.js'
import { usualClasses } from '../../plan/traffic.js'
import { floorOf, nearestRank } from '../../stats/percentile.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { middle, samplesBetween } from '../window.js'
import type { PlanDraft } from './contract.js'
import { unbounded } from './leg.js'
import { openLoopEntry, withToWithout } from './open-loop-claim.js'

const CALLS = 'load generator (calls.ndjson)'
/** A difference that would matter: of work, and of a wait. */
const MATTERS = { work: 1.1, wait: 1.25 }
/** Sockets to llama-server beyond one a place: the gateway's poller, the sampler, and calls that are just let go of. */
const POOLED = 4

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
      id: 'jain',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served, with fairness (1: all the same; 1 ÷ callers: one has everything)',
      source: CALLS,
      value: (views, plan) => jain([...tokensByCaller(views, plan, 'after').values()]),
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
  os: [
    {
      id: 'sockets',
      metric: 'server-sockets',
      what: 'median sockets to llama-server, with fairness: what waited, waited in the gateway, where its turn is decided',
      source: 'ss (established TCP connections to llama-server’s port)',
      value: (views, plan) => middle(ofCondition(views, 'after').flatMap(view => samplesBeside(view, plan).flatMap(({ serverSockets }) => serverSockets ?? []))),
      band: draft => [1, placesOf(draft) + POOLED]
    },
    {
      id: 'server-cpu',
      metric: 'server-cpu',
      what: 'CPU time of llama-server per second, with fairness ÷ as they came: an order is no work',
      source: 'pidstat (%usr + %system)',
      value: views => withToWithout(views, ({ block: { tools } }) => tools?.pidstat === undefined ? null : tools.pidstat.cpuUsec / (tools.pidstat.toMs - tools.pidstat.fromMs)),
      band: () => [1 / MATTERS.work, MATTERS.work]
    }
  ],
  control: [
    {
      id: 'alone',
      metric: 'ttft',
      what: 'median TTFT of the others before the greedy caller came, with fairness ÷ as they came: equal callers are served alike by both',
      source: CALLS,
      value: (views, plan) => withToWithout(views, view => middle(othersTtftMs(view, plan, 'alone'))),
      band: () => [1 / MATTERS.wait, MATTERS.wait],
      quiet: null
    },
    {
      id: 'closed-loop-cpu',
      metric: 'closed-loop-cpu-per-token',
      what: 'CPU time per token in the closed loop before the load, with fairness ÷ as they came: the machine was the same',
      source: '/proc/PID/stat of llama-server and content chunks of the load generator',
      value: views => withToWithout(views, view => view.summary.closedLoopCpuUsecPerToken),
      band: () => [1 / MATTERS.work, MATTERS.work]
    }
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
      id: 'jain-as-they-came',
      metric: 'jain-index',
      what: 'Jain’s index of the tokens that the callers were served, as they came',
      source: CALLS,
      value: (views, plan) => jain([...tokensByCaller(views, plan, 'before').values()]),
      band: null,
      quiet: [0.95, 1]
    }
  ]
})

type Part = 'alone' | 'beside'

function openLoopOf ({ workload }: Pick<Plan, 'workload'> | PlanDraft): OpenLoopWorkload | undefined {
  return workload.kind === 'open-loop' ? workload : undefined
}

/** The judged window before the greedy caller comes, and from then on; without it all of the window is `beside`. */
function partOf ({ block: { evidence: { loadFromMs, judgedFromMs, judgedToMs } } }: OpenLoopView, plan: Plan, part: Part): readonly [fromMs: number, toMs: number] {
  const burst = openLoopOf(plan)?.burst
  const comesMs = burst === undefined ? judgedFromMs : loadFromMs + burst.fromSeconds * 1000
  return part === 'alone' ? [judgedFromMs, comesMs] : [comesMs, judgedToMs]
}

function othersOf (plan: Plan): string[] {
  return usualClasses(openLoopOf(plan)?.classes ?? []).map(({ name }) => name)
}

/** From the intended time; a call without an answer is later than any other. */
function othersTtftMs (view: OpenLoopView, plan: Plan, part: Part): number[] {
  const [fromMs, toMs] = partOf(view, plan, part)
  const names = othersOf(plan)
  return view.judged.filter(({ cls, intendedMs }) => names.includes(cls) && intendedMs >= fromMs && intendedMs < toMs)
    .map(({ outcome, firstMs, intendedMs }) => outcome === 'answered' && firstMs !== undefined ? firstMs - intendedMs : Infinity)
}

/** Of p95s over all blocks of a condition; null below the floor of one of them. */
function besideToAlone (views: readonly OpenLoopView[], plan: Plan, condition: string): number | null {
  const [alone, beside] = (['alone', 'beside'] as const).map(part => {
    const ttftsMs = ofCondition(views, condition).flatMap(view => othersTtftMs(view, plan, part))
    return ttftsMs.length < floorOf.p95 ? undefined : nearestRank(Float64Array.from(ttftsMs).sort(), 0.95)
  })
  if (typeof alone !== 'number' || typeof beside !== 'number' || alone === Infinity) return null
  return Math.min(unbounded, beside / alone)
}

/** Of prompts and answers that were over while the greedy caller was there, by the caller's class. */
function tokensByCaller (views: readonly OpenLoopView[], plan: Plan, condition: string): Map<string, number> {
  const tokens = new Map((openLoopOf(plan)?.classes ?? []).map(({ name }) => [name, 0]))
  for (const view of ofCondition(views, condition)) {
    const [fromMs, toMs] = partOf(view, plan, 'beside')
    for (const call of view.block.calls) {
      if (call.phase === 'load' && call.outcome === 'answered' && call.doneMs >= fromMs && call.doneMs < toMs) tokens.set(call.cls, (tokens.get(call.cls) ?? 0) + tokensOf(call))
    }
  }
  return tokens
}

function tokensOf ({ promptTokens = 0, outputTokens = 0 }: CallSample): number {
  return promptTokens + outputTokens
}

/** Jain, Chiu & Hawe, DEC-TR-301, 1984. Null when nobody was served anything. */
function jain (shares: readonly number[]): number | null {
  const squares = shares.reduce((sum, share) => sum + share ** 2, 0)
  return squares === 0 ? null : shares.reduce((sum, share) => sum + share, 0) ** 2 / shares.length / squares
}

function greedyToOthers (views: readonly OpenLoopView[], plan: Plan, condition: string): number | null {
  const tokens = tokensByCaller(views, plan, condition)
  const names = othersOf(plan)
  let [others, greedy] = [0, 0]
  for (const [name, served] of tokens) {
    if (names.includes(name)) others += served
    else greedy += served
  }
  return others === 0 ? null : greedy / (others / names.length)
}

interface Offered {
  /** ÷ capacity: by all, and by the others together. */
  readonly offered: number
  readonly others: number
  /** How many the others are. */
  readonly callers: number
}

function ofOffered (draft: PlanDraft, band: (offered: Offered) => readonly [number, number]): readonly [number, number] | undefined {
  const workload = openLoopOf(draft)
  if (workload?.burst === undefined || !('capacityPerSecond' in draft.calibration)) return undefined
  const others = workload.ratePerSecond / draft.calibration.capacityPerSecond
  return band({ offered: others + workload.burst.ratePerSecond / draft.calibration.capacityPerSecond, others, callers: usualClasses(workload.classes).length })
}

function around (value: number, lo: number, hi: number): readonly [number, number] {
  return [lo * value, hi * value]
}

/** Places that the gateway hands out: as configured, which every condition has in common. */
function placesOf ({ conditions }: PlanDraft): number {
  const slots = conditions[0]?.policyOptions?.['admission']?.['slots']
  return typeof slots === 'number' ? slots : 1
}

function samplesBeside (view: OpenLoopView, plan: Plan) {
  const [fromMs, toMs] = partOf(view, plan, 'beside')
  return samplesBetween(view.block, fromMs, toMs)
}
