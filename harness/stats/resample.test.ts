import t from 'tap'
import { binomialBound } from './binomial.js'
import { blockBootstrap } from './bootstrap.js'
import { effectiveN } from './effective.js'
import { holm } from './holm.js'
import { nearestRank } from './percentile.js'
import { normal, seededRandom, shuffled } from './random.js'
import { slope } from './slope.js'
import { quantileRatio } from './swap.js'
import { poolOf, weightedQuantile } from './weighted.js'

t.test('holm steps down, keeps order and skips what had no test', async t => {
  t.same(holm([0.01, null, 0.04, 0.03]), [0.03, null, 0.06, 0.06])
  t.same(holm([0.9, 0.8]), [1, 1])
  t.same(holm([]), [])
})

t.test('slope', async t => {
  t.equal(slope([0, 1, 2], [1, 3, 5]), 2)
  t.equal(slope([1, 1], [0, 5]), null)
})

t.test('effective n: independent samples count fully, repeated ones do not, a trend by design does not hurt', async t => {
  const random = seededRandom(5)
  const noise = Array.from({ length: 8 }, () => Array.from({ length: 100 }, () => normal(random)))
  const worth = effectiveN(noise)
  t.ok(worth > 600 && worth <= 800, `independent: ${worth} of 800`)
  const fours = noise.map(block => block.flatMap(x => [x, x, x, x]))
  t.ok(effectiveN(fours) > 600 && effectiveN(fours) < 1100, `each four times: ${effectiveN(fours)} of 3200`)
  const trend = noise.map(block => block.map((x, i) => x + i / 10))
  t.ok(effectiveN(trend) > 500, `with a trend: ${effectiveN(trend)} of 800`)
  t.equal(effectiveN([[1, 1, 1], [1]]), 4, 'no variation: nothing to correlate')
  t.equal(effectiveN([[], []]), 0)
  t.ok(Number.isFinite(effectiveN([[1, Infinity, 2, Infinity, 3]])))
  t.ok(effectiveN([[1, NaN, 2]]) <= 3, 'a number that is none does not hang it')
})

t.test('block bootstrap follows the spread between blocks, not the number of calls', async t => {
  const block = (centre: number): number[] => Array.from({ length: 50 }, (_, i) => centre + i / 1000)
  const [wide] = blockBootstrap([1, 2, 3, 4, 5, 6, 7, 8].map(block), [0.5])
  t.ok(wide !== null && wide !== undefined && wide[0] < 4 && wide[1] > 5, `${wide}`)
  const [narrow] = blockBootstrap([5, 5, 5, 5].map(block), [0.5])
  t.ok(narrow !== null && narrow !== undefined && narrow[1] - narrow[0] < 0.05, `${narrow}`)
  t.same(blockBootstrap([block(1)], [0.5, 0.95]), [null, null])
  t.same(blockBootstrap([[Infinity, 1], [Infinity, 1]], [0.95]), [null], 'a censored end is no interval')
  t.same(blockBootstrap([[1, 2], [3, 4], [5, 6]], [0.5]), blockBootstrap([[1, 2], [3, 4], [5, 6]], [0.5]), 'same seed, same interval')
})

t.test('quantile ratio with labels exchanged within pairs', async t => {
  const random = seededRandom(9)
  const arm = (factor: number): number[] => Array.from({ length: 40 }, () => factor * Math.exp(0.2 * normal(random)))
  const doubled = quantileRatio(Array.from({ length: 8 }, () => ({ before: arm(1), after: arm(2) })), 0.95)
  t.equal(doubled?.p, 2 / 2 ** 8)
  t.ok(doubled !== null && doubled.ratio > 1.8 && doubled.ratio < 2.2)
  t.ok(doubled?.interval !== null && doubled !== null && doubled.interval[0] > 1.5)
  t.equal(quantileRatio(Array.from({ length: 8 }, () => ({ before: arm(2), after: arm(1) })), 0.95)?.p, 2 / 2 ** 8, 'two-sided')
  t.equal(quantileRatio([], 0.95), null)
  t.equal(quantileRatio([{ before: [], after: [1] }], 0.95), null)
  let alarms = 0
  for (let run = 0; run < 200; run++) {
    const same = quantileRatio(Array.from({ length: 6 }, () => ({ before: arm(1), after: arm(1) })), 0.95, { replicates: 1, seed: run, level: 0.95 })
    if (same !== null && same.p <= 0.05) alarms++
  }
  t.ok(alarms <= binomialBound(200, 0.05, 0.99), `${alarms} of 200 equal arms`)
})

t.test('weighted quantiles are those of the pool written out, however large it is', async t => {
  const random = seededRandom(13)
  const weights = [0, 1, 2, 1, 3]
  // Few, as many as end at a checkpoint, and many with ties over several checkpoints.
  for (const { sizes, step } of [{ sizes: [7, 8, 9, 10, 11], step: 0 }, { sizes: [512, 0, 256, 128, 128], step: 0 }, { sizes: [900, 1_000, 1_100, 1_200, 1_300], step: 0.5 }]) {
    const groups = sizes.map(size => Array.from({ length: size }, () => step === 0 ? normal(random) : step * Math.round(normal(random) / step)))
    const pool = poolOf(groups)
    const written = groups.flatMap((group, i) => Array.from({ length: weights[i] ?? 0 }, () => group)).flat().sort((a, b) => a - b)
    for (const q of [0.0001, 0.1, 0.5, 0.51, 0.9, 0.95, 1]) t.equal(weightedQuantile(pool, weights, q), nearestRank(written, q), `${q} of ${written.length}`)
  }
  t.equal(weightedQuantile(poolOf([[1], []]), [0, 1], 0.95), undefined)
})

t.test('binomial bound', async t => {
  t.equal(binomialBound(10, 0.5, 0.99), 9)
  t.equal(binomialBound(2000, 0.05, 0.99), 123)
  t.equal(binomialBound(1, 0.05, 0.99), 1)
})

t.test('random: same seed, same stream; a shuffle keeps all', async t => {
  const [a, b] = [seededRandom(1), seededRandom(1)]
  for (let i = 0; i < 10; i++) t.equal(a(), b())
  t.not(seededRandom(1)(), seededRandom(2)())
  t.same(shuffled(a, [1, 2, 3, 4]).sort(), [1, 2, 3, 4])
})
