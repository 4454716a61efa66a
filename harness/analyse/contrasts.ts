import type { Contrast, OutcomeSpec, Plan, Population } from '../types.js'
import { holm } from '../stats/holm.js'
import { floorOf } from '../stats/percentile.js'
import { quantileRatio } from '../stats/swap.js'
import type { BlockView } from './block-summary.js'
import { pairsOf, type ViewPair } from './gate.js'
import { goodPerCapacity } from './good-per-capacity.js'
import { measuredOf } from './log-ratios.js'
import { outcomeSpec } from './outcomes.js'
import { fewestPairs, judge, type Measured } from './verdict.js'

/** A comparison before its verdict, which needs the p values of its family. */
interface Open {
  readonly spec: OutcomeSpec
  readonly population: Population
  readonly measured: Measured | null
  /** Why nothing was measured, or what was done to the numbers. */
  readonly note?: string
}

/**
 * after ÷ before for each outcome. The primary is tested at plan.alpha; the others are Holm-adjusted among themselves.
 * The share of the capacity is judged against 1 and stands outside that family: it is the yardstick, not a comparison.
 */
export function contrastsOf (plan: Plan, views: readonly BlockView[]): Contrast[] {
  const pairs = pairsOf(views)
  const ratios: readonly Open[] = [
    goodPerSecond(plan, pairs),
    ofBlocks(plan, pairs, 'ttft-answered-p50', 'answered', view => view.summary.ttftAnsweredP50Ms),
    ttftP95(plan, pairs),
    ofBlocks(plan, pairs, 'tokens-per-second', 'block', view => view.summary.tokensPerSecond),
    ofBlocks(plan, pairs, 'capacity', 'block', view => view.summary.capacityPerSecond),
    ofBlocks(plan, pairs, 'server-cpu-per-token', 'block', view => view.summary.serverCpuUsecPerToken)
  ]
  const adjusted = holm(ratios.map(open => open.spec.primary ? null : open.measured?.p ?? null))
  const closed = ratios.map((open, i) => close(open, adjusted[i] ?? null, plan.alpha))
  const primary = closed.filter(contrast => contrast.primary)
  return [...primary, ...goodPerCapacity(plan, views), ...closed.filter(contrast => !contrast.primary)]
}

/**
 * Good requests per second, paired. A pair without any good request tells nothing about a ratio and is left out (as an
 * empty stratum is by Mantel and Haenszel). When one block of a pair has none, its log does not exist: then half a
 * request is added to every block of the contrast (Haldane 1956, Anscombe 1956), which draws the ratio towards 1.
 */
function goodPerSecond (plan: Plan, pairs: readonly ViewPair[]): Open {
  const telling = pairs.filter(({ before, after }) => before.good + after.good > 0)
  const half = telling.some(({ before, after }) => before.good === 0 || after.good === 0) ? 0.5 : 0
  const open = ofBlocks(plan, telling, 'good-per-second', 'offered', view => (view.good + half) / view.seconds)
  if (pairs.length > 0 && telling.length === 0) return { ...open, note: 'no request was good in either arm' }
  const notes = [
    ...(half === 0 ? [] : ['a block had no good request: half a request was added to every block']),
    ...(telling.length === pairs.length ? [] : [`${pairs.length - telling.length} pairs without any good request are left out`])
  ]
  return notes.length === 0 ? open : { ...open, note: notes.join('; ') }
}

function ofBlocks (plan: Plan, pairs: readonly ViewPair[], metric: string, population: Population, value: (view: BlockView) => number | null): Open {
  const spec = outcomeSpec(plan, metric)
  const logRatios = pairs.flatMap(({ before, after }) => {
    const [b, a] = [value(before), value(after)]
    return b !== null && a !== null && b > 0 && a > 0 ? Math.log(a / b) : []
  })
  if (logRatios.length === 0) return { spec, population, measured: null, note: 'no pair has this number in both blocks' }
  const lost = pairs.length - logRatios.length
  return {
    spec,
    population,
    measured: measuredOf(logRatios, plan, 'pairs'),
    ...(lost > 0 && { note: `${lost} of ${pairs.length} pairs lack this number` })
  }
}

/** One block is too short for a p95, so the blocks of an arm are pooled and labels exchanged within pairs. */
function ttftP95 (plan: Plan, pairs: readonly ViewPair[]): Open {
  const spec = outcomeSpec(plan, 'ttft-answered-p95')
  const samples = pairs.map(pair => ({ before: pair.before.ttftMs, after: pair.after.ttftMs }))
  const fewest = Math.min(samples.flatMap(pair => pair.before).length, samples.flatMap(pair => pair.after).length)
  if (fewest < floorOf.p95) {
    return { spec, population: 'answered', measured: null, note: `an arm has ${fewest} answered calls; a p95 needs ${floorOf.p95}` }
  }
  const found = quantileRatio(samples, 0.95, { replicates: 1000, seed: plan.seed, level: 1 - plan.alpha })
  // A bootstrap over a handful of pairs is no interval.
  const measured = found === null ? null : { n: pairs.length, unit: 'pairs', ratio: found.ratio, interval: pairs.length < fewestPairs ? null : found.interval, p: found.p }
  return { spec, population: 'answered', measured }
}

function close (open: Open, adjusted: number | null, alpha: number): Contrast {
  const { spec, measured, population, note } = open
  const base = { id: spec.metric, a: 'before', b: 'after', metric: spec.metric, population, primary: spec.primary }
  if (measured === null) {
    return { ...base, ratio: null, ci95: null, p: null, n: 0, verdict: 'cannot say', because: note ?? 'not measured' }
  }
  const { verdict, because } = judge({ ...measured, p: adjusted ?? measured.p }, spec, alpha)
  return {
    ...base,
    ratio: measured.ratio,
    ci95: measured.interval,
    p: measured.p,
    ...(!spec.primary && { pAdjusted: adjusted }),
    n: measured.n,
    verdict,
    because: note === undefined ? because : `${because}; ${note}`
  }
}
