/** Which conditions make a line of a dose-response. */
import type { SweepMetric } from '../../analyse/outcomes.js'
import { wholeRate } from '../../analyse/streams-summary.js'
import { findCell } from '../lookup.js'
import type { Condition, Population, StreamsBlockSummary, StreamsResult } from '../../types.js'
import type { Point } from './data.js'

export interface DoseMetric {
  readonly label: string
  readonly log: boolean
  readonly ofCondition: (result: StreamsResult, condition: string) => number | null
  readonly ofBlock: (block: StreamsBlockSummary) => number | null
}

/** By outcome: a sweep draws those that its plan names, in this order. */
const BY_OUTCOME: Readonly<Record<SweepMetric, DoseMetric>> = {
  'itl-p99': { label: 'gap p99 (ms)', log: true, ofCondition: (result, id) => findCell(result, 'itl', id, 'answered')?.p99 ?? null, ofBlock: (block) => block.itlP99Ms },
  'ttft-p50': { label: 'TTFT (ms)', log: false, ofCondition: meanOf('ttft', 'answered'), ofBlock: (block) => block.ttftP50Ms },
  'itl-p50': { label: 'gap p50 (ms)', log: false, ofCondition: (result, id) => findCell(result, 'itl', id, 'answered')?.p50 ?? null, ofBlock: (block) => block.itlP50Ms },
  'request-latency-p50': { label: 'request latency (ms)', log: false, ofCondition: meanOf('request-latency', 'answered'), ofBlock: (block) => block.requestLatencyP50Ms },
  'start-to-first-token': { label: 'start to first token (ms)', log: false, ofCondition: meanOf('start-to-first-token', 'block'), ofBlock: (block) => block.startToFirstTokenMs },
  'server-cpu-per-token': { label: 'CPU per token (µs)', log: false, ofCondition: meanOf('server-cpu-per-token', 'block'), ofBlock: (block) => block.serverCpuUsecPerToken },
  'tokens-per-second': { label: 'tokens/s', log: false, ofCondition: meanOf('tokens-per-second', 'block'), ofBlock: wholeRate }
}

export function doseMetrics ({ outcomes }: Pick<StreamsResult, 'outcomes'>): DoseMetric[] {
  return Object.entries(BY_OUTCOME).filter(([metric]) => outcomes.some((outcome) => outcome.metric === metric)).map(([, drawn]) => drawn)
}

function meanOf (metric: string, population: Population): DoseMetric['ofCondition'] {
  return (result, id) => findCell(result, metric, id, population)?.mean ?? null
}

export interface DoseSeries {
  /** Values of the other factors that tell this line from the others; empty where there is one line. */
  readonly name: string
  readonly points: readonly Point[]
  /** Single blocks, for how far repeats differ. */
  readonly blocks: readonly Point[]
  /** False: two conditions have the same dose, so a line would join what is not one response. */
  readonly joined: boolean
}

/** Factors with numbers of at least two sizes, the finest first. */
export function doseFactors (conditions: readonly Condition[]): string[] {
  const sizes = (factor: string): number => new Set(conditions.flatMap(({ factors }) => typeof factors[factor] === 'number' ? [factors[factor]] : [])).size
  const names = [...new Set(conditions.flatMap(({ factors }) => Object.keys(factors)))]
  return names.filter((name) => sizes(name) >= 2).sort((a, b) => sizes(b) - sizes(a))
}

/**
 * Other factors that stay the same along a line. Of those that vary, the finest are left out until a line has at least two doses: where quota
 * and period go together, lines over the period do not hold the quota still.
 */
export function lineFactors (conditions: readonly Condition[], dose: string): string[] {
  const dosed = conditions.filter(({ factors }) => typeof factors[dose] === 'number')
  const sizes = (factor: string): number => new Set(dosed.map(({ factors }) => factors[factor])).size
  let kept = [...new Set(dosed.flatMap(({ factors }) => Object.keys(factors)))].filter((name) => name !== dose && sizes(name) > 1).sort((a, b) => sizes(a) - sizes(b))
  const longest = (factors: readonly string[]): number => Math.max(0, ...[...groups(dosed, factors).values()].map((line) => new Set(line.map((each) => each.factors[dose])).size))
  while (kept.length > 0 && longest(kept) < 2) kept = kept.slice(0, -1)
  return kept
}

function groups (conditions: readonly Condition[], factors: readonly string[]): Map<string, Condition[]> {
  const found = new Map<string, Condition[]>()
  for (const condition of conditions) {
    const key = factors.map((factor) => `${factor} ${condition.factors[factor] ?? '–'}`).join(', ')
    found.set(key, [...found.get(key) ?? [], condition])
  }
  return found
}

export function doseSeries (result: StreamsResult, dose: string, metric: DoseMetric): DoseSeries[] {
  const dosed = result.conditions.filter(({ factors }) => typeof factors[dose] === 'number')
  return [...groups(dosed, lineFactors(result.conditions, dose))].flatMap(([name, line]) => {
    const points = line.flatMap(({ id, factors }) => pointAt(factors[dose], metric.ofCondition(result, id))).sort((a, b) => a[0] - b[0])
    const blocks = line.flatMap(({ id, factors }) => result.blocks.filter((block) => block.valid && block.condition === id).flatMap((block) => pointAt(factors[dose], metric.ofBlock(block))))
    return points.length === 0 ? [] : [{ name, points, blocks, joined: new Set(points.map(([x]) => x)).size === points.length }]
  })
}

/** All doses of a factor, ascending: the panels of a factor share one axis. */
export function doses ({ conditions }: StreamsResult, factor: string): number[] {
  return [...new Set(conditions.flatMap(({ factors }) => typeof factors[factor] === 'number' ? [factors[factor]] : []))].sort((a, b) => a - b)
}

/** Conditions without this dose: undisturbed ones, drawn as level lines. */
export function levels (result: StreamsResult, dose: string, metric: DoseMetric): { readonly name: string, readonly value: number }[] {
  return result.conditions.flatMap(({ id, factors }) => {
    const value = factors[dose] === undefined ? metric.ofCondition(result, id) : null
    return value === null ? [] : [{ name: id, value }]
  })
}

function pointAt (x: number | string | undefined, y: number | null): Point[] {
  return typeof x === 'number' && y !== null ? [[x, y]] : []
}
