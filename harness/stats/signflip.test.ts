import t from 'tap'
import { normal, seededRandom } from './random.js'
import { signFlip, smallestP } from './signflip.js'
import { coversItsEffect } from './testing-coverage.js'

/** The definition, without the inversion trick. */
function bruteP (x: readonly number[], centre: number): number {
  const d = x.map(one => one - centre)
  const observed = Math.abs(d.reduce((sum, one) => sum + one, 0))
  let asFar = 0
  for (let mask = 0; mask < 2 ** x.length; mask++) {
    const sum = d.reduce((total, one, i) => total + (((mask >> i) & 1) === 1 ? -one : one), 0)
    if (Math.abs(sum) >= observed - 1e-12) asFar++
  }
  return asFar / 2 ** x.length
}

t.test('p is that of all sign vectors', async t => {
  const random = seededRandom(7)
  for (const n of [1, 2, 5, 8, 10]) {
    const x = Array.from({ length: n }, () => normal(random) + 0.5)
    t.equal(signFlip(x, 0.05).p, bruteP(x, 0), `n = ${n}`)
  }
  t.equal(signFlip([1, 2, 3, 4, 5, 6, 7, 8], 0.05).p, smallestP(8))
  t.equal(smallestP(8), 2 / 256)
})

t.test('the interval holds exactly the centres that the test does not reject', async t => {
  const random = seededRandom(11)
  for (let run = 0; run < 40; run++) {
    const x = Array.from({ length: 6 + run % 4 }, () => normal(random))
    const interval = signFlip(x, 0.05).interval
    if (interval === null) throw new Error('no interval')
    t.ok(bruteP(x, interval[0] + 1e-6) > 0.05 && bruteP(x, interval[1] - 1e-6) > 0.05)
    t.ok(bruteP(x, interval[0] - 1e-6) <= 0.05 && bruteP(x, interval[1] + 1e-6) <= 0.05)
  }
})

t.test('interval and p agree about no effect, exact and Monte Carlo, ties too', async t => {
  const random = seededRandom(3)
  const disagreeing: number[] = []
  for (let run = 0; run < 300; run++) {
    const n = run < 280 ? 6 + run % 8 : 20
    const shift = (run % 7) / 5
    const x = Array.from({ length: n }, () => Math.round((normal(random) + shift) * 4) / 10)
    const { p, interval } = signFlip(x, 0.05, run)
    if (interval === null || (p <= 0.05) !== (interval[0] > 0 || interval[1] < 0)) disagreeing.push(run)
  }
  t.same(disagreeing, [])
})

t.test('too few pairs give no interval; equal pairs give no effect; none is an error', async t => {
  t.equal(signFlip([1, 1, 1, 1, 1], 0.05).interval, null)
  t.equal(signFlip([0, 0, 0, 0, 0, 0, 0, 0], 0.05).p, 1)
  t.equal(signFlip([0.1, -0.1, 0.3, -0.3, 0.2, -0.2], 0.05).p, 1)
  t.throws(() => signFlip([], 0.05), /at least 1 difference/)
})

t.test('coverage with 8 pairs, those of the laptop preset, is at least 93 %', async t => coversItsEffect(t, 8, 4000))
