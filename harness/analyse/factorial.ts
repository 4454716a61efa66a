import type { BlockSummary, Contrast, Plan, Population } from '../types.js'
import { ofCondition } from './gate.js'
import { closeFamily, ofLogRatios, type Named } from './paired.js'

/** Positions in a 2×2's conditions: none, a, b, a and b. */
const conditionsOfFactorial = 4

/**
 * Main effects and interaction of a 2×2 on the primary outcome, from the logs of the four blocks of each repeat: a family of its own,
 * Holm-adjusted. Main effect of a: mean of (a ÷ none) and (ab ÷ b). Interaction: (ab ÷ b) ÷ (a ÷ none); 1 = each does with the other what
 * it does alone. Empty for other designs.
 * @param valueOf number of a block, given all blocks that take part
 */
export function factorEffects<V extends { readonly summary: BlockSummary }> (
  plan: Plan, views: readonly V[], population: Population, valueOf: (views: readonly V[]) => (view: V) => number | null
): Contrast[] {
  const [none, first, second, both] = plan.conditions
  const spec = plan.outcomes.find(outcome => outcome.primary)
  if (plan.design !== 'factorial' || none === undefined || first === undefined || second === undefined || both === undefined || spec === undefined) return []
  const byPair = [none, first, second, both].map(({ id }) => new Map(ofCondition(views, id).map(view => [view.summary.pair, view])))
  const quads = [...new Set(views.map(view => view.summary.pair))].sort((a, b) => a - b)
    .map(pair => byPair.flatMap(blocks => blocks.get(pair) ?? []))
    .filter(quad => quad.length === conditionsOfFactorial)
  const value = valueOf(quads.flat())
  const logs = quads.map(quad => quad.map(view => Math.log(value(view) ?? 0))).filter(quad => quad.every(Number.isFinite))
  const effect = (named: Omit<Named, 'spec' | 'population'>, weights: readonly number[]) =>
    ofLogRatios(plan, { ...named, spec: { ...spec, primary: false }, population }, logs.map(quad => quad.reduce((sum, log, i) => sum + log * (weights[i] ?? 0), 0)), quads.length)
  return closeFamily([
    effect({ id: `main-effect:${first.id}`, a: `without ${first.id}`, b: `with ${first.id}` }, [-0.5, 0.5, -0.5, 0.5]),
    effect({ id: `main-effect:${second.id}`, a: `without ${second.id}`, b: `with ${second.id}` }, [-0.5, -0.5, 0.5, 0.5]),
    effect({ id: 'interaction', a: 'each alone', b: 'together' }, [1, -1, -1, 1])
  ], plan)
}
