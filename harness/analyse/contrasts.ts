import type { Contrast, OpenLoopPlan, Population } from '../types.js'
import { floorOf } from '../stats/percentile.js'
import { quantileRatio } from '../stats/swap.js'
import type { OpenLoopView } from './block-summary.js'
import { factorEffects } from './factorial.js'
import { pairsOf, type ViewPair } from './gate.js'
import { goodPerCapacity } from './good-per-capacity.js'
import { pairedPace } from './machine.js'
import { machineOutcome, outcomeSpec } from './outcomes.js'
import { closeFamily, ofPairs, type Named, type Open } from './paired.js'
import { judgedPairs, type Treated } from './treated.js'
import { fewestPairs } from './verdict.js'

/**
 * Each treated condition ÷ its baseline for each outcome: one family. The share of the capacity is judged against 1 and stands outside that
 * family: it is the yardstick, not a comparison. So do the effects of a 2×2, which are a family of their own, and the closed loop's CPU
 * time per token: the control.
 */
export function contrastsOf (plan: OpenLoopPlan, views: readonly OpenLoopView[]): Contrast[] {
  const closed = closeFamily(judgedPairs(plan).flatMap(treated => outcomesOf(plan, views, treated)), plan)
  const primary = closed.filter(contrast => contrast.primary)
  const effects = factorEffects(plan, views, 'offered', pairs => goodValue(pairs))
  const machine = judgedPairs(plan).flatMap(treated => closeFamily([machineOf(plan, views, treated)], plan))
  return [...primary, ...goodPerCapacity(plan, views), ...effects, ...closed.filter(contrast => !contrast.primary), ...machine]
}

type Pair = ViewPair<OpenLoopView>

function machineOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], { a, b, suffix }: Treated): Open {
  const named: Named = { id: machineOutcome.metric + suffix, a, b, spec: machineOutcome, population: 'block' }
  const pace = pairedPace(views.map(({ block }) => block))
  return ofPairs(plan, named, pairsOf(views, a, b), ({ block }) => pace(block))
}

function outcomesOf (plan: OpenLoopPlan, views: readonly OpenLoopView[], { a, b, suffix }: Treated): Open[] {
  const pairs = pairsOf(views, a, b)
  const named = (metric: string, population: Population): Named => ({ id: metric + suffix, a, b, spec: outcomeSpec(plan, metric), population })
  return [
    goodPerSecond(plan, named('good-per-second', 'offered'), pairs),
    ofPairs(plan, named('ttft-answered-p50', 'answered'), pairs, view => view.summary.ttftAnsweredP50Ms),
    ttftP95(plan, named('ttft-answered-p95', 'answered'), pairs),
    ofPairs(plan, named('tokens-per-second', 'block'), pairs, view => view.summary.tokensPerSecond),
    ofPairs(plan, named('capacity', 'block'), pairs, view => view.summary.capacityPerSecond),
    ofPairs(plan, named('server-cpu-per-token', 'block'), pairs, view => view.summary.serverCpuUsecPerToken)
  ]
}

/**
 * Good requests per second, paired. A pair without any good request tells nothing about a ratio and is left out (as an
 * empty stratum is by Mantel and Haenszel). When one block of a pair has none, its log does not exist: then half a
 * request is added to every block of the contrast (Haldane 1956, Anscombe 1956), which draws the ratio towards 1.
 */
function goodPerSecond (plan: OpenLoopPlan, named: Named, pairs: readonly Pair[]): Open {
  const telling = pairs.filter(({ a, b }) => a.good + b.good > 0)
  const open = ofPairs(plan, named, telling, goodValue(telling.flatMap(({ a, b }) => [a, b])))
  if (pairs.length > 0 && telling.length === 0) return { ...open, note: 'no request was good in either arm' }
  const half = telling.some(({ a, b }) => a.good === 0 || b.good === 0)
  const notes = [
    ...(half ? ['a block had no good request: half a request was added to every block'] : []),
    ...(telling.length === pairs.length ? [] : [`${pairs.length - telling.length} pairs without any good request are left out`])
  ]
  return notes.length === 0 ? open : { ...open, note: notes.join('; ') }
}

/** Good requests per second of a block, with half a request more where one of these blocks has none. */
function goodValue (views: readonly OpenLoopView[]): (view: OpenLoopView) => number {
  const half = views.some(view => view.good === 0) ? 0.5 : 0
  return view => (view.good + half) / view.seconds
}

/** One block is too short for a p95, so the blocks of a condition are pooled and labels exchanged within pairs. */
function ttftP95 (plan: OpenLoopPlan, named: Named, pairs: readonly Pair[]): Open {
  const samples = pairs.map(pair => ({ before: pair.a.ttftMs, after: pair.b.ttftMs }))
  const fewest = Math.min(samples.flatMap(pair => pair.before).length, samples.flatMap(pair => pair.after).length)
  if (fewest < floorOf.p95) {
    return { ...named, measured: null, note: `an arm has ${fewest} answered calls; a p95 needs ${floorOf.p95}` }
  }
  const found = quantileRatio(samples, 0.95, { replicates: 1000, seed: plan.seed, level: 1 - plan.alpha })
  // A bootstrap over a handful of pairs is no interval.
  const measured = found === null ? null : { n: pairs.length, unit: 'pairs', ratio: found.ratio, interval: pairs.length < fewestPairs ? null : found.interval, p: found.p }
  return { ...named, measured }
}
