import t from 'tap'
import { Balance } from './balance.js'

/** So many calls of each length come in turn; of the short ones `servable` in ten can be served, and the long ones are served unless they are turned away. */
function run (balance: Balance, rounds: number, servable: number, lengths: readonly [number, number] = [30, 200]): { readonly short: number, readonly long: number } {
  const [short, long] = lengths
  const served = { short: 0, long: 0 }
  for (let round = 0; round < rounds; round++) {
    balance.offer(short)
    if (round % 10 < servable && !balance.turnsAway(short)) {
      balance.serve(short)
      served.short++
    }
    balance.offer(long)
    if (balance.turnsAway(long)) continue
    balance.serve(long)
    served.long++
  }
  return served
}

t.test('a length that is ahead is turned away until the one behind has its part', async t => {
  const { short, long } = run(new Balance(), 400, 5)
  t.equal(short, 200, 'who is behind loses nothing')
  t.ok(long > 180 && long < 240, `${long} of 400`)
})

t.test('lengths that are served alike are never turned away', async t => {
  t.same(run(new Balance(), 400, 10), { short: 400, long: 400 })
})

t.test('prompts of nearly one length are one class, whatever became of each', async t => {
  t.same(run(new Balance(), 400, 5, [40, 42]), { short: 200, long: 400 })
})

t.test('bounded: of a length that could be served at least one in four is, though another is never', async t => {
  const { short, long } = run(new Balance(), 400, 0)
  t.equal(short, 0)
  t.ok(long >= 100, `${long} of 400`)
})

t.test('what was not served in time after all does not count', async t => {
  const balance = new Balance()
  for (let call = 0; call < 40; call++) {
    for (const tokens of [30, 200]) {
      balance.offer(tokens)
      balance.serve(tokens)
    }
    balance.unserve(30)
  }
  t.notOk(balance.turnsAway(30))
  t.ok(balance.turnsAway(200))
})

t.test('what is long past is forgotten', async t => {
  const balance = new Balance()
  t.ok(run(balance, 600, 0).long < 300, 'it was ahead')
  for (let call = 0; call < 800; call++) {
    balance.offer(call % 2 === 0 ? 30 : 200)
    balance.serve(call % 2 === 0 ? 30 : 200)
  }
  t.notOk(balance.turnsAway(200))
})
