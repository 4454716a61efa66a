import t from 'tap'
import { PairedGain } from './paired-gain.js'

function of (...gains: readonly number[]): PairedGain {
  const found = new PairedGain()
  for (const gain of gains) found.add(gain)
  return found
}

const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9

t.test('nothing is known at first', async t => {
  const none = of()
  t.same([none.pairs, none.mean, none.cautious], [0, 1, 1])
})

t.test('pairs that agree are no chance', async t => {
  const gain = of(1.5, 1.5, 1.5)
  t.equal(gain.pairs, 3)
  t.ok(near(gain.mean, 1.5) && near(gain.cautious, 1.5))
})

t.test('what goes up and down alike is no gain, and is not taken for one', async t => {
  const gain = of(1.2, 1 / 1.2, 1.2, 1 / 1.2, 1.2, 1 / 1.2, 1.2)
  t.ok(gain.mean > 1 && gain.mean < 1.06, `${gain.mean}`)
  t.ok(gain.cautious < 1, `${gain.cautious}`)
})

t.test('two pairs of now outweigh all that was before', async t => {
  t.ok(of(...Array<number>(50).fill(1.4), 0.7, 0.7).mean < 1)
})
