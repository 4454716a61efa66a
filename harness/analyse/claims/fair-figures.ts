/** What is counted of callers that stand in one line, one of whom comes late and sends ten times what each of the others does. */
import type { CallSample, OpenLoopPlan } from '../../types.js'
import { usualClasses } from '../../plan/traffic.js'
import { floorOf, nearestRank } from '../../stats/percentile.js'
import type { OpenLoopView } from '../block-summary.js'
import { ofCondition } from '../gate.js'
import { ratio } from '../ratio.js'
import { middle, samplesBetween } from '../window.js'
import type { OpenLoopDraft } from './contract.js'
import { unbounded } from './leg.js'

type Part = 'alone' | 'beside'

/** The judged window before the greedy caller comes, and from then on; without it all of the window is `beside`. */
function partOf ({ block: { evidence: { loadFromMs, judgedFromMs, judgedToMs } } }: OpenLoopView, plan: OpenLoopPlan, part: Part): readonly [fromMs: number, toMs: number] {
  const { burst } = plan.workload
  const comesMs = burst === undefined ? judgedFromMs : loadFromMs + burst.fromSeconds * 1000
  return part === 'alone' ? [judgedFromMs, comesMs] : [comesMs, judgedToMs]
}

function othersOf (plan: OpenLoopPlan): string[] {
  return usualClasses(plan.workload.classes).map(({ name }) => name)
}

/** From the intended time; a call without an answer is later than any other. */
function othersTtftMs (view: OpenLoopView, plan: OpenLoopPlan, part: Part): number[] {
  const [fromMs, toMs] = partOf(view, plan, part)
  const names = othersOf(plan)
  return view.judged.filter(({ cls, intendedMs }) => names.includes(cls) && intendedMs >= fromMs && intendedMs < toMs)
    .map(({ outcome, firstMs, intendedMs }) => outcome === 'answered' && firstMs !== undefined ? firstMs - intendedMs : Infinity)
}

/** Of p95s over all blocks of a condition; null below the floor of one of them. */
export function besideToAlone (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const [alone, beside] = (['alone', 'beside'] as const).map(part => {
    const ttftsMs = ofCondition(views, condition).flatMap(view => othersTtftMs(view, plan, part))
    return ttftsMs.length < floorOf.p95 ? undefined : nearestRank(Float64Array.from(ttftsMs).sort(), 0.95)
  })
  if (typeof alone !== 'number' || typeof beside !== 'number' || alone === Infinity) return null
  return Math.min(unbounded, beside / alone)
}

/**
 * Mean TTFT of the others' calls alone ÷ what one place would have given them in the order in which they came (Lindley 1952: wait of the next = wait and
 * service of this one − the time between them), each with its own processing time by llama-server. Whoever is next, the mean stays as it is as long as calls are
 * as long as one another and the place never stands idle (Kleinrock's conservation law, 1965): less, and more than one was served at once; more, and it stood idle.
 * What relaying adds to a processing time is what it added for calls that found nobody in front of them. Middle of the blocks; null without such calls or llama-server's timings.
 */
export function overOnePlace (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const ratios = ofCondition(views, condition).map(view => overOnePlaceIn(view, plan))
  return ratios.includes(null) ? null : middle(ratios.flatMap(value => value ?? []))
}

function overOnePlaceIn (view: OpenLoopView, plan: OpenLoopPlan): number | null {
  const [fromMs, comesMs] = partOf(view, plan, 'alone')
  const calls = view.block.calls.filter(({ phase, intendedMs }) => phase === 'load' && intendedMs < comesMs).sort((a, b) => a.intendedMs - b.intendedMs)
  const timed = calls.map(timedCall)
  if (timed.length === 0 || timed.includes(null)) return null
  const own = timed.flatMap(call => call ?? [])
  const relayMs = middle(own.filter(isAlone).map(({ ttftMs, promptMs }) => ttftMs - promptMs))
  if (relayMs === null) return null
  let [freeMs, seen, expected] = [-Infinity, 0, 0]
  for (const { intendedMs, ttftMs, promptMs, predictedMs } of own) {
    const beginMs = Math.max(freeMs, intendedMs)
    freeMs = beginMs + promptMs + relayMs + predictedMs
    if (intendedMs < fromMs) continue
    seen += ttftMs
    expected += beginMs + promptMs + relayMs - intendedMs
  }
  return ratio(seen, expected)
}

function timedCall ({ outcome, intendedMs, firstMs, doneMs, promptMs, predictedMs }: CallSample) {
  return outcome !== 'answered' || firstMs === undefined || promptMs === undefined || predictedMs === undefined ? null : { intendedMs, doneMs, ttftMs: firstMs - intendedMs, promptMs, predictedMs }
}

/** Of calls in the order in which they came: all that came before this one were over. */
function isAlone ({ intendedMs }: { readonly intendedMs: number }, index: number, calls: ReadonlyArray<{ readonly doneMs: number }>): boolean {
  return calls.slice(0, index).every(({ doneMs }) => doneMs <= intendedMs)
}

/** Of prompts and answers that were over while the greedy caller was there, by the caller's class. */
export function tokensByCaller (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): Map<string, number> {
  const tokens = new Map(plan.workload.classes.map(({ name }) => [name, 0]))
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

/** The index of tokens ÷ the max-min fair part of what was served (Jain, Chiu & Hawe: x = measured ÷ optimal): nobody's fair part is more than it asked for, and what some leave is parted among the others. */
export function jainOfFairParts (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const served = tokensByCaller(views, plan, condition)
  const total = [...served.values()].reduce((sum, tokens) => sum + tokens, 0)
  const parts = fairParts(askedByCaller(views, plan, condition), total)
  return parts === null ? null : jain([...served].map(([name, tokens]) => tokens / (parts.get(name) ?? NaN)))
}

/** Tokens that each caller asked for: its offered calls beside the greedy caller, each as long as its answered ones are. */
function askedByCaller (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): Map<string, number> {
  const asked = new Map<string, number>()
  for (const view of ofCondition(views, condition)) {
    const [fromMs, toMs] = partOf(view, plan, 'beside')
    const load = view.block.calls.filter(({ phase }) => phase === 'load')
    const tokens = middle(load.filter(({ outcome }) => outcome === 'answered').map(tokensOf)) ?? 0
    for (const { cls, intendedMs } of load) {
      if (intendedMs >= fromMs && intendedMs < toMs) asked.set(cls, (asked.get(cls) ?? 0) + tokens)
    }
  }
  return asked
}

/** Max-min: who asks for least first; each gets what it asks for, or its equal part of what is left. Null when somebody asked for nothing. */
export function fairParts (asked: ReadonlyMap<string, number>, total: number): Map<string, number> | null {
  const parts = new Map<string, number>()
  let left = total
  for (const [name, tokens] of [...asked].sort(([, a], [, b]) => a - b)) {
    const part = Math.min(tokens, left / (asked.size - parts.size))
    if (!(part > 0)) return null
    parts.set(name, part)
    left -= part
  }
  return parts
}

/** Jain, Chiu & Hawe, DEC-TR-301, 1984. Null when nobody was served anything. */
export function jain (shares: readonly number[]): number | null {
  const squares = shares.reduce((sum, share) => sum + share ** 2, 0)
  return squares === 0 ? null : shares.reduce((sum, share) => sum + share, 0) ** 2 / shares.length / squares
}

export function greedyToOthers (views: readonly OpenLoopView[], plan: OpenLoopPlan, condition: string): number | null {
  const tokens = tokensByCaller(views, plan, condition)
  const names = othersOf(plan)
  let [others, greedy] = [0, 0]
  for (const [name, served] of tokens) {
    if (names.includes(name)) others += served
    else greedy += served
  }
  return others === 0 ? null : greedy / (others / names.length)
}

export interface Offered {
  /** ÷ capacity: by all, and by the others together. */
  readonly offered: number
  readonly others: number
  /** How many the others are. */
  readonly callers: number
}

export function ofOffered ({ workload: { ratePerSecond, burst, classes }, calibration: { capacityPerSecond } }: OpenLoopDraft, band: (offered: Offered) => readonly [number, number]): readonly [number, number] | undefined {
  if (burst === undefined) return undefined
  const others = ratePerSecond / capacityPerSecond
  return band({ offered: others + burst.ratePerSecond / capacityPerSecond, others, callers: usualClasses(classes).length })
}

export function samplesBeside (view: OpenLoopView, plan: OpenLoopPlan) {
  const [fromMs, toMs] = partOf(view, plan, 'beside')
  return samplesBetween(view.block, fromMs, toMs)
}
