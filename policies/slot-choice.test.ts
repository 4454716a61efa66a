import t from 'tap'
import { ByLength } from './slot-choice.js'

t.test('by length: what is longer than usual goes above, everything else below', async t => {
  const choice = new ByLength()
  const choose = (prefillTokens: number, idle: readonly number[]): number | undefined => choice.choose({ id: '', prefillTokens }, idle)
  t.equal(choose(60, [0, 1, 2, 3]), 0, 'the first one is the usual one')
  t.equal(choose(1_500, [1, 2, 3]), 3)
  t.equal(choose(60, [1, 2]), 1, 'one in many does not make long prompts usual')
  t.equal(choose(1_500, [2]), 2)
  for (let call = 0; call < 100; call++) choose(1_500, [0])
  t.equal(choose(1_400, [0, 1]), 0, 'where all are long, none is')
})
