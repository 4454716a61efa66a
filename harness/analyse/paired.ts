import type { Contrast, OutcomeSpec, Plan, Population } from '../types.js'
import { holm } from '../stats/holm.js'
import type { ViewPair } from './gate.js'
import { measuredOf } from './log-ratios.js'
import { geometricMean } from './ratio.js'
import { judge, type Measured } from './verdict.js'

/** A comparison before its verdict, which needs the p values of its family. */
export interface Open {
  readonly id: string
  readonly a: string
  readonly b: string
  readonly spec: OutcomeSpec
  readonly population: Population
  readonly measured: Measured | null
  /** As in `Contrast`. */
  readonly compared?: readonly [number, number]
  /** Why nothing was measured, or what was done to the numbers. */
  readonly note?: string
}

export type Named = Pick<Open, 'id' | 'a' | 'b' | 'spec' | 'population'>

/** b ÷ a of a number that each block has: geometric mean over the pairs. Pairs in which a block lacks it, or has 0, are left out and said. */
export function ofPairs<V> (plan: Plan, named: Named, pairs: readonly ViewPair<V>[], value: (view: V) => number | null): Open {
  const values = pairs.flatMap(pair => {
    const [a, b] = [value(pair.a), value(pair.b)]
    return a !== null && b !== null && a > 0 && b > 0 ? [{ a, b }] : []
  })
  const open = ofLogRatios(plan, named, values.map(({ a, b }) => Math.log(b / a)), pairs.length)
  const [before, after] = [geometricMean(values.map(({ a }) => a)), geometricMean(values.map(({ b }) => b))]
  return before === null || after === null ? open : { ...open, compared: [before, after] }
}

/** @param planned how many there would be if no block lacked the number */
export function ofLogRatios (plan: Plan, named: Named, logRatios: readonly number[], planned: number): Open {
  if (logRatios.length === 0) return { ...named, measured: null, note: 'no pair has this number in both blocks' }
  const lost = planned - logRatios.length
  return {
    ...named,
    measured: measuredOf(logRatios, plan, 'pairs'),
    ...(lost > 0 && { note: `${lost} of ${planned} pairs lack this number` })
  }
}

/**
 * Verdicts of one family: the primary is tested at plan.alpha, the others are Holm-adjusted among themselves.
 * @param fewest pairs below which nothing is judged
 */
export function closeFamily (opens: readonly Open[], plan: Plan, fewest?: number): Contrast[] {
  const adjusted = holm(opens.map(open => open.spec.primary ? null : open.measured?.p ?? null))
  return opens.map((open, i) => close(open, adjusted[i] ?? null, plan.alpha, fewest))
}

function close (open: Open, adjusted: number | null, alpha: number, fewest: number | undefined): Contrast {
  const { id, a, b, spec, measured, compared, population, note } = open
  const base = { id, a, b, metric: spec.metric, population, primary: spec.primary }
  if (measured === null) {
    return { ...base, ratio: null, ci95: null, p: null, n: 0, verdict: 'cannot say', because: note ?? 'not measured' }
  }
  const { verdict, because } = judge({ ...measured, p: adjusted ?? measured.p }, spec, alpha, fewest)
  return {
    ...base,
    ratio: measured.ratio,
    ...(compared !== undefined && { compared }),
    ci95: measured.interval,
    p: measured.p,
    ...(!spec.primary && { pAdjusted: adjusted }),
    n: measured.n,
    verdict,
    because: [because, note ?? ''].filter(part => part !== '').join('; ')
  }
}
