import type { Arm, Cell, Evidence } from '../types.js'
import { floorOf, percentileNames } from '../stats/percentile.js'
import type { BlockView } from './block-summary.js'
import { ofArm } from './gate.js'
import { number } from './verdict.js'
import { middle, scheduledTtftMs } from './window.js'

const arms: readonly Arm[] = ['before', 'after']
/** Below this share of the capacity a condition is declared stationary. */
const stationaryBelow = 0.9
const driftThatMatters = 1.1

export function warningsOf (evidence: Evidence, views: readonly BlockView[], cells: readonly Cell[]): string[] {
  return [
    ...incomplete(evidence),
    ...views.flatMap(({ summary }) => summary.valid ? [] : [`block ${summary.index} (${summary.arm}) is invalid: ${summary.because ?? 'no reason given'}`]),
    ...lostPairs(views),
    ...views.flatMap(({ block }) => block.evidence.warnings.map(warning => `block ${block.evidence.plan.index} (${block.evidence.plan.arm}): ${warning}`)),
    ...views.flatMap(({ summary }) => summary.capacityPerSecond > 0 ? [] : [`block ${summary.index} (${summary.arm}) has no capacity: its closed loop was too short; it is left out where the capacity is needed`]),
    ...drift(views),
    ...floors(cells),
    ...observer(views),
    ...sources(evidence, views),
    ...(evidence.plan.alpha === 0.05 ? [] : [`alpha is ${evidence.plan.alpha}: the intervals of the contrasts are at level ${number(1 - evidence.plan.alpha)}`])
  ]
}

function incomplete ({ plan, blocks }: Evidence): string[] {
  const present = new Set(blocks.map(block => block.evidence.plan.index))
  const absent = plan.blocks.filter(block => !present.has(block.index))
  return absent.length === 0 ? [] : [`the run is incomplete: ${absent.length} of ${plan.blocks.length} planned blocks are missing (${absent.map(block => `${block.index} ${block.arm}`).join(', ')})`]
}

function lostPairs (views: readonly BlockView[]): string[] {
  const before = new Set(ofArm(views, 'before').map(view => view.summary.pair))
  const after = new Set(ofArm(views, 'after').map(view => view.summary.pair))
  const odd = [...new Set(views.map(view => view.summary.pair))].filter(pair => before.has(pair) !== after.has(pair)).sort((a, b) => a - b)
  return odd.length === 0 ? [] : [`pairs without two valid blocks are left out of the paired contrasts: ${odd.join(', ')}`]
}

/** The machine over the whole run, and the arms that are declared stationary within their windows. */
function drift (views: readonly BlockView[]): string[] {
  const inOrder = [...views].filter(view => view.summary.capacityPerSecond > 0).sort((a, b) => a.summary.index - b.summary.index)
  const half = Math.floor(inOrder.length / 2)
  const machine = half < 2 ? null : changeOf(inOrder.slice(0, half).map(capacityOf), inOrder.slice(-half).map(capacityOf))
  const found = machine === null || !matters(machine) ? [] : [`the machine drifted: the capacity of the second half of the blocks is ${number(machine)}× that of the first; pairs cancel it, absolute numbers do not`]
  for (const arm of arms) {
    const stationary = ofArm(views, arm).filter(({ summary }) => summary.offeredPerSecond < stationaryBelow * summary.capacityPerSecond)
    const change = changeOf(stationary.flatMap(view => ttftOfHalf(view, 0)), stationary.flatMap(view => ttftOfHalf(view, 1)))
    if (change !== null && matters(change)) found.push(`'${arm}' is offered less than ${stationaryBelow} of its capacity and yet drifts: TTFT p50 of the second half of its windows is ${number(change)}× that of the first; a longer ramp is needed`)
  }
  return found
}

function capacityOf (view: BlockView): number {
  return view.summary.capacityPerSecond
}

function matters (ratio: number): boolean {
  return ratio > driftThatMatters || ratio < 1 / driftThatMatters
}

function changeOf (first: readonly number[], second: readonly number[]): number | null {
  const [a, b] = [middle(first), middle(second)]
  return a === null || b === null || a <= 0 ? null : b / a
}

function ttftOfHalf ({ block, judged }: BlockView, which: 0 | 1): number[] {
  const middleMs = (block.evidence.judgedFromMs + block.evidence.judgedToMs) / 2
  return judged.filter(call => (call.intendedMs >= middleMs) === (which === 1)).flatMap(call => scheduledTtftMs(call) ?? [])
}

/** One line for each percentile; which figures it is missing from stands in the table. */
function floors (cells: readonly Cell[]): string[] {
  const ofCalls = cells.filter(cell => cell.population !== 'block')
  return percentileNames.flatMap(name => {
    const missing = ofCalls.filter(cell => cell[name] === null && cell.censoredAbove?.[name] === undefined)
    return missing.length === 0 ? [] : [`no ${name} for ${missing.length} of ${ofCalls.length} figures: it needs ${floorOf[name]} independent calls, and waits in one queue are not independent (n_eff in the table)`]
  })
}

function observer (views: readonly BlockView[]): string[] {
  const over = views.map(view => view.summary.samplerCpuShare).filter(share => share > 0.01)
  return over.length === 0 ? [] : [`the sampler used up to ${number(Math.max(...over) * 100)} % of a core (over 1 % in ${over.length} of ${views.length} blocks); it runs on the CPU of the load, not on llama-server's`]
}

function sources ({ manifest }: Evidence, views: readonly BlockView[]): string[] {
  const has = (field: 'process' | 'serverSockets' | 'requestsDeferred'): boolean => views.every(view => view.block.samples.some(sample => sample[field] !== undefined))
  return [
    ...manifest.missing.map(missing => `missing on this machine: ${missing}`),
    ...(has('process') ? [] : ['a block has no reading of llama-server’s process (/proc): no CPU time per token']),
    ...(has('serverSockets') ? [] : ['a block has no count of sockets (ss): the OS leg of the admission claim is missing']),
    ...(has('requestsDeferred') ? [] : ['a block has no reading of llama-server’s gauges: the mechanism leg of the admission claim is missing'])
  ]
}
