import type { PresetName } from '../types.js'
import { idOf, type StudyList } from './list.js'

/** How much of an experiment is run. */
export interface Size {
  readonly preset: PresetName
  /** Pairs, or blocks of each condition; absent: the preset's. */
  readonly repeats?: number
  /** Of a sweep only these conditions and their baselines, comma-separated. */
  readonly cells?: string
}

/** An experiment with the sizes that it can have, the smallest first; seconds rise. */
export interface Sizable<S extends { readonly seconds: number }> {
  readonly id: string
  readonly sizes: readonly [S, ...S[]]
  /** A requirement rests on it: it comes before all on which none does. */
  readonly required?: boolean
}

/** Minutes that a study of a preset may take in all. */
export const budgetMinutes: Readonly<Record<PresetName, number>> = { smoke: 15, laptop: 75, overnight: 600 }

/** Of the budget: machines are slower than those that durations were measured on (there three studies took 0.97 to 1.01 of what was planned), and the report is rendered in the end. What is not foreseen of each run weighs more where runs are short. */
export const usedOfBudget: Readonly<Record<PresetName, number>> = { smoke: 0.88, laptop: 0.95, overnight: 0.95 }

/**
 * What of each experiment is run within the budget. Those that requirements rest on come first, at their smallest size, so that nothing that is asked for is left out for want of time. Then
 *
 * - `breadth` (smoke): as many others as fit at their smallest size, the quickest first, so that a slow one does not keep out five; then each, in order of weight, gets
 *   the largest size that the time left allows.
 * - `depth` (laptop, overnight): in order of weight each gets its whole size, as long as that fits, those that requirements rest on before all others; who got none then shares what is left as above.
 * @returns the size chosen for each experiment, in their order; undefined: left out
 */
export function chooseSizes<S extends { readonly seconds: number }> (experiments: ReadonlyArray<Sizable<S>>, budgetSeconds: number, first: 'breadth' | 'depth'): Array<S | undefined> {
  let left = budgetSeconds
  const chosen = new Array<S | undefined>(experiments.length).fill(undefined)
  const take = (i: number, size: S | undefined): void => {
    const more = (size?.seconds ?? Infinity) - (chosen[i]?.seconds ?? 0)
    if (size === undefined || more > left || more <= 0) return
    left -= more
    chosen[i] = size
  }
  experiments.forEach(({ sizes, required = false }, i) => { if (required) take(i, sizes[0]) })
  if (first === 'depth') for (const wanted of [true, false]) experiments.forEach(({ sizes, required = false }, i) => { if (required === wanted) take(i, sizes.at(-1)) })
  const quickestFirst = experiments.map((_, i) => i).sort((a, b) => smallestOf(experiments, a) - smallestOf(experiments, b) || a - b)
  for (const i of quickestFirst) if (chosen[i] === undefined) take(i, experiments[i]?.sizes[0])
  experiments.forEach(({ sizes }, i) => {
    const own = chosen[i]
    if (own !== undefined) take(i, sizes.findLast(size => size.seconds - own.seconds <= left))
  })
  return chosen
}

function smallestOf (experiments: ReadonlyArray<Sizable<{ readonly seconds: number }>>, i: number): number {
  return experiments[i]?.sizes[0].seconds ?? Infinity
}

/**
 * From small to large. `ends`: of a sweep one block of its first baseline, and of the first and the last condition that are contrasted with it.
 * A comparison has them as one pair.
 */
export function sizesFor (preset: PresetName, ends: string | undefined): Size[] {
  const glance: Size[] = [{ preset: 'smoke', repeats: 1, ...(ends === undefined ? {} : { cells: ends }) }, { preset: 'smoke' }]
  return preset === 'smoke' ? glance : preset === 'laptop' ? [...glance, { preset: 'laptop' }] : [{ preset: 'smoke' }, { preset: 'laptop' }, { preset: 'overnight' }]
}

/**
 * Ids of the experiments that the requirements rest on: of each its first ones, as many as it needs. What is quiet shows nothing of a cure.
 */
export function requiredIds ({ requirements, experiments }: Pick<StudyList, 'requirements' | 'experiments'>): Set<string> {
  return new Set(requirements.flatMap(({ id, needs = 1 }) => experiments.filter(each => each.serves === id && each.quiet !== true).slice(0, needs).map(idOf)))
}

/** Undefined where all conditions are needed: a search that study.json names no `glance` for, or hardly more than these. */
export function endsOf (conditions: ReadonlyArray<{ readonly id: string, readonly baseline?: string, readonly probe?: number }>): string | undefined {
  const baseline = conditions.find(({ baseline }) => baseline === undefined)?.id
  const treated = conditions.filter(each => each.baseline === baseline)
  const [first, last] = [treated[0], treated.at(-1)]
  if (baseline === undefined || first === undefined || last === undefined || conditions.length <= 3 || conditions.some(({ probe }) => probe !== undefined)) return undefined
  return [...new Set([baseline, first.id, last.id])].join(',')
}
