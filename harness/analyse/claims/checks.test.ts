import t from 'tap'
import type { Contrast, Plan } from '../../types.js'
import { simulate } from '../testing.js'
import { contrastCheck, legOf, legsOf, predictedBy, type Check } from './checks.js'
import type { Kind } from './contract.js'

type OfNumbers = Kind & { readonly view: number }

const { plan: simulated, manifest } = simulate()

function planOf (checks: ReadonlyArray<Check<OfNumbers>>, quiet = false): Plan {
  const plan = { ...simulated, quiet }
  return { ...plan, predictions: predictedBy(checks, plan, manifest) }
}

function check (id: string, rest: Partial<Check<OfNumbers>> = {}): Check<OfNumbers> {
  return { id, metric: id, what: `what ${id} is`, source: 'a source', value: views => views[0] ?? null, band: () => [1, 2], ...rest }
}

function contrast (rest: Partial<Contrast>): Contrast {
  return { id: 'ttft', a: 'before', b: 'after', metric: 'ttft', population: 'answered', primary: true, ratio: 0.5, ci95: [0.4, 0.6], p: 0.01, n: 8, verdict: 'better', because: '', compared: [20, 10], ...rest }
}

t.test('a number in its band holds, ends included; one outside fails; none is missing, and so is one that nobody predicted', async t => {
  const checks = [check('a')]
  const status = (views: readonly number[], plan = planOf(checks)): string => legOf(checks, plan, views, []).status
  t.same([status([1]), status([2]), status([2.1]), status([])], ['holds', 'holds', 'fails', 'missing'])
  t.equal(status([1], { ...planOf(checks), predictions: [] }), 'missing')
  t.same(planOf([check('b', { band: () => undefined })]).predictions, [], 'what cannot be predicted is not')
})

t.test('under the interference and on the quiet host each is asked what is meant for it', async t => {
  const checks = [check('both'), check('other', { quiet: [0, 0.5] }), check('not-quiet', { quiet: null }), check('quiet-only', { band: null, quiet: [3, 4] })]
  const bands = (quiet: boolean): unknown => planOf(checks, quiet).predictions.map(({ id, lo, hi }) => [id, lo, hi])
  t.same(bands(false), [['both', 1, 2], ['other', 1, 2], ['not-quiet', 1, 2]])
  t.same(bands(true), [['both', 1, 2], ['other', 0, 0.5], ['quiet-only', 3, 4]])
  t.equal(legsOf(checks, planOf(checks, true), [1], []).length, 3)
  t.match(legOf([checks[2] ?? check('?')], planOf(checks, true), [1], []), { status: 'missing', statement: /on the quiet host/ })
})

t.test('in the band of another one it makes no prediction of its own, and has none when that one has none', async t => {
  const checks = [check('a'), check('b', { inBandOf: 'a', value: () => 3 })]
  const plan = planOf(checks)
  t.same(plan.predictions.map(({ id }) => id), ['a'])
  t.same(legsOf(checks, plan, [1], []).map(({ status }) => status), ['holds', 'fails'])
  t.same(legsOf(checks, { ...plan, predictions: [] }, [1], []).map(({ status }) => status), ['missing', 'missing'])
})

t.test('what its words mean is no prediction, and judged all the same', async t => {
  const checks = [check('above-1', { byMeaning: [1, 9] })]
  const plan = planOf(checks)
  t.same(plan.predictions, [])
  t.same([legOf(checks, plan, [5], []).status, legOf(checks, plan, [0.5], []).status], ['holds', 'fails'])
})

t.test('what is not counted is left out; the source may follow from the blocks', async t => {
  const checks = [check('a'), check('b', { isCounted: views => views.length > 1, source: views => `${views.length} blocks` })]
  t.equal(legsOf(checks, planOf(checks), [1], []).length, 1)
  t.equal(legsOf(checks, planOf(checks), [1, 1], [])[1]?.source, '2 blocks')
})

t.test('of a contrast: its ratio or an end of its interval, what it compares, and why there is none', async t => {
  const checks = (['ratio', 'lower end', 'upper end'] as const).map(part => contrastCheck<OfNumbers>('ttft', part, { id: part, what: part, source: 'clients', band: () => [0.45, 0.7] }))
  const plan = planOf(checks)
  const found = legsOf(checks, plan, [], [contrast({})])
  t.same(found.map(({ status, value }) => [status, value]), [['holds', 0.5], ['fails', 0.4], ['holds', 0.6]])
  t.same(found[0]?.figures[0]?.compared, [20, 10])
  const without = legsOf(checks, plan, [], [contrast({ ci95: null, because: 'three pairs carry no interval' })])
  t.same(without.map(({ status }) => status), ['holds', 'missing', 'missing'])
  t.match(without[1], { statement: /three pairs carry no interval/ })
  t.match(legsOf(checks, plan, [], []), [{ statement: /not measured/ }, {}, {}])
})
