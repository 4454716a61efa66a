import type { Manifest, Prediction } from '../../types.js'
import { calibratedServer } from '../../plan/streams-plan.js'
import { baselinesOf, periodPairs, quotaCells, type QuotaCell } from './cpu-quota-cells.js'
import type { PlanDraft } from './contract.js'
import { number } from '../verdict.js'

/** Ids of the predictions on which the claim `cpu-quota-stalls` rests; those of a condition end in its id. */
export const quotaPredictionIds = {
  stall: (id: string) => `stall:${id}`,
  closeStalls: 'stalls-within-10-percent',
  waits: 'long-waits-per-throttled-period',
  waitsOf: (id: string) => `long-waits-per-throttled-period:${id}`,
  gap: (id: string) => `median-gap-ratio:${id}`,
  computeWait: (id: string) => `compute-thread-wait:${id}`,
  /** Of earlier plans: the waits of all threads together, those of one HTTP thread at most among them. */
  runQueue: (id: string) => `run-queue-wait:${id}`,
  period: (id: string) => `p99-goes-with-the-period:${id}`,
  unthrottled: (id: string) => `throttled-periods:${id}`,
  cpuFull: (id: string) => `cpu-full-per-throttled-period:${id}`
} as const

/** Half width of the bands of times, and the narrower one that most cells must keep. */
const band = 0.2
export const close = 0.1
/** Of all cells, those that must be within `close`. */
const mostCells = 0.75

/** A period's quota must pay for as many, by all threads together. */
const tokensPerPeriod = 4

interface Expected {
  readonly cell: QuotaCell
  readonly stallMs: number
  readonly gapMs: number
  readonly threads: number
}

/**
 * What a quota must do, written into the plan before the first run: u is what the server of the same threads used unthrottled, in the calibration.
 * Pressure by group is predicted only under cgroup v2: beside version 1 not every kernel has it.
 * @throws when a quota does not bind, so that it can stall nothing, or pays for less than four tokens a period, so that tokens span periods
 */
export function quotaPredictions (draft: PlanDraft, manifest: Manifest): Prediction[] {
  if (draft.workload.kind !== 'streams') return []
  const ids = quotaPredictionIds
  const cells = quotaCells(draft)
  const expected = cells.flatMap(cell => expectedOf(cell, draft, manifest) ?? [])
  const byId = new Map(expected.map(each => [each.cell.id, each]))
  const within = (value: number): Pick<Prediction, 'lo' | 'hi'> => ({ lo: rounded(value * (1 - band)), hi: rounded(value * (1 + band)) })
  return [
    ...expected.map(({ cell, stallMs, threads }) => ({ id: ids.stall(cell.id), metric: 'itl', statement: `${cell.id}: median long gap − median gap, ms: ${cell.periodMs} − ${cell.quotaMs} ÷ CPUs used at once by ${threads} thread${threads === 1 ? '' : 's'} unthrottled = ${number(stallMs)}, ± ${100 * band} %`, ...within(stallMs) })),
    { id: ids.closeStalls, metric: 'itl', statement: `of ${cells.length} stalls at least this many are within ${100 * close} % of the prediction`, lo: Math.ceil(mostCells * cells.length), hi: cells.length },
    ...expected.map(({ cell, stallMs }) => ({ id: ids.cpuFull(cell.id), metric: 'cpu-full', statement: `${cell.id}: cpu pressure "full" of its group for each throttled period, less what ${cell.baseline} has for as much CPU time, ms: the stall, ± ${100 * band} %`, ...within(stallMs) })).filter(() => manifest.cgroup === 'v2'),
    { id: ids.waits, metric: 'itl', statement: `long waits for a token (more than half the predicted stall above the usual) ÷ nr_throttled, over all conditions with a quota: 1 ± ${100 * close} %`, lo: 1 - close, hi: 1 + close },
    ...cells.map(({ id }) => ({ id: ids.waitsOf(id), metric: 'itl', statement: `${id}: the same, ± ${100 * band} %`, lo: 1 - band, hi: 1 + band })),
    ...cells.map(({ id, baseline }) => ({ id: ids.gap(id), metric: 'itl', statement: `${id}: the median gap, ÷ CPU time of a token in the same block, is that of ${baseline}: between throttles its threads are on their CPUs as ever`, lo: 0.8, hi: 1.25 })),
    ...expected.map(({ cell, stallMs }) => ({ id: ids.computeWait(cell.id), metric: 'run-queue-wait', statement: `${cell.id}: a compute thread is runnable and has no CPU through every stall, ${number(stallMs)} of ${cell.periodMs} ms, ± ${100 * band} %; what it waits in ${cell.baseline}, where only others keep it waiting, is taken off for the time between the stalls`, ...within(stallMs / cell.periodMs) })),
    ...periodPairs(cells).flatMap(({ id, long, short }) => {
      const [a, b] = [byId.get(long.id), byId.get(short.id)]
      return a === undefined || b === undefined ? [] : [{ id: ids.period(id), metric: 'itl-p99', statement: `gap p99 of ${long.id} ÷ ${short.id}, the same share of another period: only a quota goes with its period`, ...within((a.stallMs + a.gapMs) / (b.stallMs + b.gapMs)) }]
    }),
    ...baselinesOf(cells).map(id => ({ id: ids.unthrottled(id), metric: 'throttled-periods', statement: `${id}: nr_throttled, with the same threads and no quota`, lo: 0, hi: 0 }))
  ]
}

function expectedOf (cell: QuotaCell, draft: PlanDraft, manifest: Manifest): Expected | undefined {
  const condition = draft.conditions.find(({ id }) => id === cell.id)
  if (condition === undefined || !('servers' in draft.calibration)) return undefined
  const server = calibratedServer({ calibration: draft.calibration }, condition, manifest)
  if (server === undefined || server.cpusUsed === null) return undefined
  const stallMs = cell.periodMs - cell.quotaMs / server.cpusUsed
  if (stallMs < 2 * server.gapMs) {
    throw new Error(`${cell.id}: a quota of ${cell.quotaMs} ms in each ${cell.periodMs} ms would stall a server that uses ${server.cpusUsed} CPUs at once for ${number(stallMs)} ms a period, less than two gaps of ${server.gapMs} ms: it cannot be told from a slow token. Give it a smaller quota, a longer period or a smaller model`)
  }
  const longestGapMs = cell.quotaMs / (tokensPerPeriod * server.threads)
  if (server.gapMs > longestGapMs) {
    throw new Error(`${cell.id}: a token takes ${server.gapMs} ms with ${server.threads} thread${server.threads === 1 ? '' : 's'} on this machine, as it is now; with a quota of ${cell.quotaMs} ms more than ${number(longestGapMs)} ms (quota ÷ (${tokensPerPeriod} × threads)) would blur the stalls. Give it a longer period, a smaller model, or a quieter machine`)
  }
  return { cell, stallMs, gapMs: server.gapMs, threads: server.threads }
}

function rounded (value: number): number {
  return Math.round(value * 1000) / 1000
}
