import type { ContrastVerdict, OutcomeSpec } from '../types.js'
import { smallestP } from '../stats/signflip.js'

/** Fewer pairs cannot reach p ≤ 0.05 whatever they show. */
export const fewestPairs = 6

/** Of a sweep, whose conditions share one Holm family: fewer describe. */
export const fewestRepeats = 8

export interface Measured {
  readonly n: number
  /** What n counts: `pairs` or `blocks`. */
  readonly unit: string
  readonly ratio: number
  readonly interval: readonly [number, number] | null
  /** The p that decides: adjusted for secondary outcomes. */
  readonly p: number
  /** Standard deviation of the log ratios; absent for pooled quantiles. */
  readonly spread?: number | undefined
}

/**
 * equivalent: the interval lies inside [1/matters, matters], also where a difference is certain but too small to
 * matter. Else better or worse: p ≤ alpha and 1 outside the interval (the same thing for a sign-flip interval without
 * adjustment). Else cannot say, with what it would take.
 * @param fewest pairs below which nothing is judged
 * @returns `because`: what ratio, interval and p beside it do not say; empty where they say all
 */
export function judge (measured: Measured, spec: OutcomeSpec, alpha: number, fewest = fewestPairs): { verdict: ContrastVerdict, because: string } {
  const { n, unit, ratio, interval, p } = measured
  if (n < fewest) {
    return { verdict: 'cannot say', because: `described, not judged: ${n} ${unit}, the smallest possible p is ${number(smallestP(n))}` }
  }
  const margin = `[${number(1 / spec.matters)}, ${number(spec.matters)}]`
  if (interval !== null && interval[0] >= 1 / spec.matters && interval[1] <= spec.matters) {
    return { verdict: 'equivalent', because: `the interval lies inside ${margin}${p <= alpha ? ': a difference is there, too small to matter' : ''}` }
  }
  if (p <= alpha && (interval === null || interval[0] > 1 || interval[1] < 1)) {
    return { verdict: (ratio > 1) === (spec.better === 'higher') ? 'better' : 'worse', because: '' }
  }
  return { verdict: 'cannot say', because: `neither a clear difference nor only differences inside ${margin}; ${whatItTakes(measured, spec)}` }
}

/** Pairs for 80 % power at 0.05 to tell a ratio of `matters` from 1, by the normal approximation plus two. */
export function pairsNeeded (spread: number, matters: number): number {
  return Math.max(fewestPairs, Math.ceil(((1.96 + 0.84) * spread / Math.log(matters)) ** 2) + 2)
}

function whatItTakes (measured: Measured, spec: OutcomeSpec): string {
  if (measured.spread === undefined) return `more ${measured.unit} or longer windows are needed`
  const needed = pairsNeeded(measured.spread, spec.matters)
  return needed > measured.n
    ? `with this spread about ${needed} ${measured.unit} tell ${number(spec.matters)}× from 1×`
    : `the effect is near the ${number(spec.matters)}× that matters: about ${2 * measured.n} ${measured.unit} would halve the doubt`
}

/** Three significant digits. */
export function number (value: number): string {
  return String(Number(value.toPrecision(3)))
}
