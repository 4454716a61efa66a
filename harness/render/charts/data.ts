/** Picks and prepares evidence for charts. */
import { conditionIds } from '../labels.js'
import type { Block, BlockSummary, CallSample, Evidence, Result } from '../../types.js'

export type Point = readonly [number, number]

/** Blocks that the result counts; all blocks that the result does not speak of. In run order. */
export function countedBlocks (evidence: Evidence, result: Result, condition: string): Block[] {
  const invalid = new Set(result.blocks.filter((block) => !block.valid).map((block) => block.index))
  return evidence.blocks
    .filter(({ evidence: { plan } }) => plan.condition === condition && !invalid.has(plan.index))
    .sort((a, b) => a.evidence.plan.index - b.evidence.plan.index)
}

/** Calls of the open loop that were intended inside the judged window: the `offered` population. */
export function judgedCalls ({ evidence, calls }: Block): CallSample[] {
  return calls.filter((call) => call.phase === 'load' && call.intendedMs >= evidence.judgedFromMs && call.intendedMs < evidence.judgedToMs)
}

export function loadCalls ({ calls }: Block): CallSample[] {
  return calls.filter((call) => call.phase === 'load')
}

/**
 * One block of each condition, of the same repeat where there is one: the repeat whose ratio of useful work (last condition ÷ first) is the
 * median of all, so that nobody chose it. Without a whole repeat the first block of each condition.
 */
export function representativeBlocks (evidence: Evidence, result: Result): Map<string, Block> {
  const ids = shownConditions(result)
  const blocks = new Map(ids.map((id) => [id, countedBlocks(evidence, result, id)]))
  const workOf = (block: Block): number => work(result.blocks.find((each) => each.index === block.evidence.plan.index))
  const repeats = [...new Set(evidence.blocks.map((block) => block.evidence.plan.pair))].flatMap((pair) => {
    const row = ids.flatMap((id) => blocks.get(id)?.find((each) => each.evidence.plan.pair === pair) ?? [])
    const [first, last] = [row[0], row.at(-1)]
    return row.length < ids.length || first === undefined || last === undefined ? [] : [{ row, gain: workOf(last) / Math.max(workOf(first), 1e-9) }]
  }).sort((x, y) => x.gain - y.gain)
  const middle = repeats[Math.floor((repeats.length - 1) / 2)]?.row ?? ids.flatMap((id) => blocks.get(id)?.[0] ?? [])
  return new Map(middle.map((block) => [block.evidence.plan.condition, block]))
}

/** All of a comparison; of a sweep the condition whose rate differs most from its baseline's, and that baseline. */
export function shownConditions (result: Result): string[] {
  if (result.design !== 'sweep') return conditionIds(result)
  const size = (ratio: number | null): number => ratio === null || ratio <= 0 ? 0 : Math.abs(Math.log(ratio))
  const [most] = result.contrasts.filter((contrast) => contrast.metric === 'tokens-per-second').sort((x, y) => size(y.ratio) - size(x.ratio))
  return most === undefined ? conditionIds(result).slice(0, 2) : [most.a, most.b]
}

function work (block: BlockSummary | undefined): number {
  if (block === undefined) return 0
  return 'goodPerSecond' in block ? block.goodPerSecond : block.tokensPerSecond
}

/** About `most` points that keep every peak: of each stretch of time its lowest and its highest. */
export function thinKeepingPeaks (points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points]
  const length = Math.ceil(points.length / (most / 2))
  const thinned: Point[] = []
  for (let from = 0; from < points.length; from += length) {
    const stretch = points.slice(from, from + length)
    const low = stretch.reduce((least, point) => point[1] < least[1] ? point : least)
    const high = stretch.reduce((top, point) => point[1] > top[1] ? point : top)
    thinned.push(...(low === high ? [low] : [low, high].sort((a, b) => a[0] - b[0])))
  }
  return thinned
}

/** Every k-th point, first and last kept, so that no more than `most` are drawn. */
export function thin (points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points]
  const stride = (points.length - 1) / (most - 1)
  return Array.from({ length: most }, (_, index) => points[Math.round(index * stride)]).filter((point) => point !== undefined)
}

const STEPS = [1, 2, 5] as const

/** 1, 2, 5, 10, … within `[lo, hi]`; only 1, 10, 100 when there would be more than `most`. */
export function logTicks (lo: number, hi: number, most: number): number[] {
  const ticks = (steps: readonly number[]): number[] => {
    const found: number[] = []
    for (let power = Math.floor(Math.log10(lo)); power <= Math.ceil(Math.log10(hi)); power += 1) {
      for (const step of steps) {
        const value = Number((step * 10 ** power).toPrecision(1))
        if (value >= lo * 0.999 && value <= hi * 1.001) found.push(value)
      }
    }
    return found
  }
  const fine = ticks(STEPS)
  return fine.length <= most ? fine : ticks([1])
}

/** The next tick at or outside of the range on both sides; a range of one tick is widened, an empty one is 1 to 10. */
export function logRange (values: readonly number[]): readonly [number, number] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value))
  if (positive.length === 0) return [1, 10]
  const lo = positive.reduce((least, value) => Math.min(least, value))
  const hi = positive.reduce((most, value) => Math.max(most, value))
  const ticks = logTicks(lo / 10, hi * 10, Infinity)
  return [ticks.findLast((tick) => tick <= lo) ?? lo, ticks.find((tick) => tick >= hi && tick > lo) ?? hi * 2]
}

/** 1, 2, 4, 5 or 10 times a power of ten, so that the half is a round number too. */
export function niceCeiling (value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 4, 5, 10].find((each) => each * power >= value) ?? 10
  return step * power
}
