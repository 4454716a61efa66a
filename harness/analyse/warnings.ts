import type { BlockSummary, Cell, Evidence, Plan } from '../types.js'
import { floorOf, percentileNames } from '../stats/percentile.js'
import type { OpenLoopView } from './block-summary.js'
import { ofCondition } from './gate.js'
import type { StreamsView } from './streams-summary.js'
import { number } from './verdict.js'
import { middle, scheduledTtftMs } from './window.js'

/** Below this share of the capacity a condition is declared stationary. */
const stationaryBelow = 0.9
const driftThatMatters = 1.1
/** Of the p99 of the gaps: a client's own stalls may be this long and hide nothing. */
const clientStallShare = 0.05

type View = OpenLoopView | StreamsView

export function openLoopWarnings (evidence: Evidence, views: readonly OpenLoopView[], cells: readonly Cell[]): string[] {
  return [
    ...incomplete(evidence),
    ...ofBlocks(evidence.plan, views),
    ...views.flatMap(({ summary }) => summary.capacityPerSecond > 0 ? [] : [`block ${summary.index} (${summary.condition}) has no capacity: its closed loop was too short; it is left out where the capacity is needed`]),
    ...drift(views, evidence.plan.workload.kind === 'open-loop' && evidence.plan.workload.burst !== undefined),
    ...ofFigures(evidence, views, cells),
    ...sources(evidence, views)
  ]
}

export function streamsWarnings (evidence: Evidence, views: readonly StreamsView[], cells: readonly Cell[]): string[] {
  return [
    ...incomplete(evidence),
    ...ofBlocks(evidence.plan, views),
    ...views.flatMap(({ summary }) => summary.serverEnd === undefined ? [] : [`block ${summary.index} (${summary.condition}): llama-server ended: ${summary.serverEnd}`]),
    ...paces(views),
    ...clientStalls(views),
    ...ofVersion1(views),
    ...ofFigures(evidence, views, cells),
    ...missingHere(evidence),
    ...noProcess(views)
  ]
}

function ofBlocks (plan: Plan, views: readonly View[]): string[] {
  return [
    ...invalid(views.map(({ summary }) => summary)),
    ...lostPairs(plan, views.map(view => view.summary)),
    ...views.flatMap(({ block }) => block.evidence.warnings.map(warning => `block ${block.evidence.plan.index} (${block.evidence.plan.condition}): ${warning}`))
  ]
}

/** A line for each reason: the blocks of a pair share theirs. */
function invalid (summaries: readonly BlockSummary[]): string[] {
  const byReason = new Map<string, string[]>()
  for (const { valid, index, condition, because = 'no reason given' } of summaries) {
    if (!valid) byReason.set(because, [...byReason.get(because) ?? [], `${index} (${condition})`])
  }
  return [...byReason].map(([because, blocks]) => `${blocks.length === 1 ? 'block' : 'blocks'} ${blocks.join(', ')} ${blocks.length === 1 ? 'is' : 'are'} invalid: ${because}`)
}

function ofFigures ({ plan }: Evidence, views: readonly View[], cells: readonly Cell[]): string[] {
  return [
    ...floors(cells, plan.workload.kind),
    ...observer(views),
    ...(plan.alpha === 0.05 ? [] : [`alpha is ${plan.alpha}: the intervals of the contrasts are at level ${number(1 - plan.alpha)}`])
  ]
}

function incomplete ({ plan, blocks }: Evidence): string[] {
  const present = new Set(blocks.map(block => block.evidence.plan.index))
  const absent = plan.blocks.filter(block => !present.has(block.index))
  return absent.length === 0 ? [] : [`the run is incomplete: ${absent.length} of ${plan.blocks.length} planned blocks are missing (${absent.map(block => `${block.index} ${block.condition}`).join(', ')})`]
}

/** Repeats that lack one of the conditions. */
function lostPairs ({ conditions }: Plan, summaries: readonly BlockSummary[]): string[] {
  const valid = summaries.filter(summary => summary.valid)
  const repeated = conditions.filter(({ probe }) => probe === undefined)
  const odd = [...new Set(summaries.map(summary => summary.pair))].sort((a, b) => a - b).filter(pair => {
    const present = repeated.filter(({ id }) => valid.some(summary => summary.pair === pair && summary.condition === id)).length
    return present > 0 && present < repeated.length
  })
  if (odd.length === 0) return []
  return [conditions.length === 2
    ? `pairs without two valid blocks are left out of the paired contrasts: ${odd.join(', ')}`
    : `repeats without a valid block of every condition, left out of the contrasts that need the missing one: ${odd.join(', ')}`]
}

/** The machine over the whole run, and the conditions that are declared stationary within their windows; under a burst none is. */
function drift (views: readonly OpenLoopView[], underBurst: boolean): string[] {
  const inOrder = [...views].filter(view => view.summary.capacityPerSecond > 0).sort((a, b) => a.summary.index - b.summary.index)
  const half = Math.floor(inOrder.length / 2)
  const machine = half < 2 ? null : changeOf(inOrder.slice(0, half).map(capacityOf), inOrder.slice(-half).map(capacityOf))
  const found = machine === null || !matters(machine) ? [] : [`the machine drifted: the capacity of the second half of the blocks is ${number(machine)}× that of the first; pairs cancel it, absolute numbers do not`]
  for (const condition of underBurst ? [] : new Set(views.map(view => view.summary.condition))) {
    const stationary = ofCondition(views, condition).filter(({ summary }) => summary.offeredPerSecond < stationaryBelow * summary.capacityPerSecond)
    const change = changeOf(stationary.flatMap(view => ttftOfHalf(view, 0)), stationary.flatMap(view => ttftOfHalf(view, 1)))
    if (change !== null && matters(change)) found.push(`'${condition}' is offered less than ${stationaryBelow} of its capacity and yet drifts: TTFT p50 of the second half of its windows is ${number(change)}× that of the first; a longer ramp is needed`)
  }
  return found
}

function capacityOf (view: OpenLoopView): number {
  return view.summary.capacityPerSecond
}

function matters (ratio: number): boolean {
  return ratio > driftThatMatters || ratio < 1 / driftThatMatters
}

function changeOf (first: readonly number[], second: readonly number[]): number | null {
  const [a, b] = [middle(first), middle(second)]
  return a === null || b === null || a <= 0 ? null : b / a
}

function ttftOfHalf ({ block, judged }: OpenLoopView, which: 0 | 1): number[] {
  const middleMs = (block.evidence.judgedFromMs + block.evidence.judgedToMs) / 2
  return judged.filter(call => (call.intendedMs >= middleMs) === (which === 1)).flatMap(call => scheduledTtftMs(call) ?? [])
}

/** One line for each percentile; which figures it is missing from stands in the table. */
function floors (cells: readonly Cell[], kind: Plan['workload']['kind']): string[] {
  // Nobody promised a p95 of a handful of calls: a sweep is about gaps.
  const ofCalls = cells.filter(cell => kind === 'streams' ? cell.metric === 'itl' : cell.population !== 'block')
  const why = kind === 'streams' ? 'gaps' : 'independent calls, and waits in one queue are not independent (n_eff in the table)'
  return percentileNames.flatMap(name => {
    const missing = ofCalls.filter(cell => cell[name] === null && cell.censoredAbove?.[name] === undefined)
    return missing.length === 0 ? [] : [`no ${name} for ${missing.length} of ${ofCalls.length} figures: it needs ${floorOf[name]} ${why}`]
  })
}

function observer (views: readonly View[]): string[] {
  const over = views.map(view => view.summary.samplerCpuShare).filter(share => share > 0.01)
  return over.length === 0 ? [] : [`the sampler used up to ${number(Math.max(...over) * 100)} % of a core (over 1 % in ${over.length} of ${views.length} blocks); it runs on the CPU of the load, not on llama-server's`]
}

function missingHere ({ manifest }: Evidence): string[] {
  return manifest.missing.map(missing => `missing on this machine: ${missing}`)
}

function sources (evidence: Evidence, views: readonly OpenLoopView[]): string[] {
  return [
    ...missingHere(evidence),
    ...noProcess(views),
    ...(hasEverywhere(views, 'serverSockets') ? [] : ['a block has no count of sockets (ss): the OS leg of the admission claim is missing']),
    ...(hasEverywhere(views, 'requestsDeferred') ? [] : ['a block has no reading of llama-server’s gauges: the mechanism leg of the admission claim is missing'])
  ]
}

function noProcess (views: readonly View[]): string[] {
  return hasEverywhere(views, 'process') ? [] : ['a block has no reading of llama-server’s process (/proc): no CPU time per token']
}

function hasEverywhere (views: readonly View[], field: 'process' | 'serverSockets' | 'requestsDeferred'): boolean {
  return views.every(view => view.block.samples.some(sample => sample[field] !== undefined))
}

/** Limits of version 1 are the same mechanism by other files, without pressure and refault counters of version 2. */
function ofVersion1 (views: readonly StreamsView[]): string[] {
  return views.some(({ block }) => block.evidence.group?.version === 'v1') ? ['cgroup v1: limits and counters are those of version 1 groups; they corroborate what is shown under cgroup v2, they do not replace it'] : []
}

/** A token may take so many times as long about one block as about another before it is told. */
const PACES_TOLD_FROM = 1.15

/** One line for each number of threads that a yardstick had. */
function paces (views: readonly StreamsView[]): string[] {
  const read = views.flatMap(({ block: { evidence: { yardstick } } }) => yardstick === undefined ? [] : [yardstick])
  return [...new Set(read.map(({ threads }) => threads))].flatMap(threads => {
    const own = read.filter(each => each.threads === threads)
    const [least, most] = [Math.min(...own.map(leastMs)), Math.max(...own.map(mostMs))]
    if (most / least < PACES_TOLD_FROM) return []
    const within = own.filter(each => mostMs(each) / leastMs(each) >= PACES_TOLD_FROM).length
    return [`the machine changed its pace: a yardstick of ${threads} thread${threads === 1 ? '' : 's'} took ${number(least)} to ${number(most)} ms for a token beside ${own.length} blocks, and another time after than before ${within} of them. ` +
      'Claims compare times of two blocks at the pace of each; contrasts, cells and plots show them as they were']
  })
}

interface Ends { readonly beforeMs: number, readonly afterMs: number }

function leastMs ({ beforeMs, afterMs }: Ends): number {
  return Math.min(beforeMs, afterMs)
}

function mostMs ({ beforeMs, afterMs }: Ends): number {
  return Math.max(beforeMs, afterMs)
}

/** More names than this nobody reads. */
const MOST_NAMED = 6

/** A client that stood still stamps late: such a gap is not the server's. One line, whatever the number of blocks. */
function clientStalls (views: readonly StreamsView[]): string[] {
  const late = views.flatMap(({ block: { evidence: { generatorEventLoopDelayMaxMs: stallMs } }, summary: { index, condition, itlP99Ms } }) => {
    const allowedMs = Math.max(5, clientStallShare * (itlP99Ms ?? 0))
    return stallMs <= allowedMs ? [] : [{ stallMs, which: `${index} ${condition}` }]
  })
  if (late.length === 0) return []
  const worst = late.reduce((a, b) => b.stallMs > a.stallMs ? b : a)
  return [`the client stood still for longer than 5 ms and ${number(100 * clientStallShare)} % of the gaps' p99 in ${late.length} of ${views.length} blocks, at most for ${number(worst.stallMs)} ms (block ${worst.which}): gaps of that size may be its own. ` +
    `Blocks: ${late.slice(0, MOST_NAMED).map(({ which }) => which).join(', ')}${late.length > MOST_NAMED ? ` and ${late.length - MOST_NAMED} more` : ''}`]
}
