import t from 'tap'
import { OutputLengths } from './output-lengths.js'

function learned (ended: ReadonlyArray<readonly [tokens: number, cut: boolean]>): OutputLengths {
  const lengths = new OutputLengths()
  for (const [tokens, cut] of ended) lengths.add(tokens, cut)
  return lengths
}

t.test('nothing known: the bound is the expectation', async t => {
  const lengths = learned([])
  t.equal(lengths.expectedLeft(64), 64)
  t.equal(lengths.expectedLeft(64, 60), 4)
  t.equal(lengths.expectedLeft(Infinity), 0)
})

t.test('answers that all ended at their bound say nothing of a larger one', async t => {
  const lengths = learned(Array.from({ length: 20 }, () => [16, true] as const))
  t.equal(lengths.expectedLeft(16), 16)
  t.equal(lengths.expectedLeft(512), 512)
  t.equal(lengths.expectedLeft(Infinity), 16, 'the longest that was seen stands for no bound')
})

t.test('the mean up to the bound, by hand', async t => {
  // Survival 1 to 10, 3/4 to 20, 3/8 from there on: of the two left at 20 one ended, one of 15 was cut before.
  const lengths = learned([[10, false], [15, true], [20, false], [40, true]])
  t.equal(lengths.expectedLeft(10), 10)
  t.equal(lengths.expectedLeft(20), 10 + 0.75 * 10)
  t.equal(lengths.expectedLeft(40), 10 + 0.75 * 10 + 0.375 * 20)
})

t.test('an answer that got far is expected to go on as those did that got so far', async t => {
  const lengths = learned([...Array.from({ length: 9 }, () => [10, false] as const), [110, false]])
  t.equal(lengths.expectedLeft(512), 20)
  t.ok(Math.abs(lengths.expectedLeft(512, 10) - 100) < 1e-9)
  t.equal(lengths.expectedLeft(512, 200), 1, 'beyond all of them: overdue')
  t.equal(lengths.expectedLeft(16, 16), 0)
})

t.test('lognormal lengths cut at 64 are known below 64 as if nothing had been cut', async t => {
  // Quantiles of a lognormal with median 40 and σ 1, in an order that mixes bounds: every second answer was cut at 64.
  const quantiles = Array.from({ length: 250 }, (_, index) => Math.round(40 * Math.exp(inverseNormal((((index * 97) % 250) + 0.5) / 250))))
  const lengths = learned(quantiles.map((tokens, index) => index % 2 === 0 || tokens <= 64 ? [tokens, false] : [64, true]))
  const truth = quantiles.reduce((sum, tokens) => sum + Math.min(tokens, 512), 0) / quantiles.length
  const seen = lengths.expectedLeft(512)
  t.ok(Math.abs(seen / truth - 1) < 0.1, `${seen.toFixed(1)} of ${truth.toFixed(1)}`)
  const naive = quantiles.map((tokens, index) => index % 2 === 0 ? tokens : Math.min(64, tokens)).reduce((sum, tokens) => sum + tokens, 0) / quantiles.length
  t.ok(naive / truth < 0.9, 'taking cut answers for whole ones would be off by more')
})

t.test('old answers are forgotten', async t => {
  const lengths = learned([...Array.from({ length: 300 }, () => [500, false] as const), ...Array.from({ length: 256 }, () => [5, false] as const)])
  t.equal(lengths.expectedLeft(512), 5)
})

/** Acklam's rational approximation is more than is needed: bisection of the error function's series does. */
function inverseNormal (p: number): number {
  let [low, high] = [-6, 6]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (normal(middle) < p) low = middle
    else high = middle
  }
  return low
}

function normal (x: number): number {
  let sum = x
  let term = x
  for (let k = 1; k < 100; k++) {
    term *= -x * x / (2 * k)
    sum += term / (2 * k + 1)
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI)
}
