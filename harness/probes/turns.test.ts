import t from 'tap'
import { createTurns } from './turns.js'

t.test('a source is read when it may take its share again', async t => {
  const turns = createTurns({ share: 0.001, atLeastMs: 100, atMostMs: 1000 })
  t.ok(turns.due(0), 'the first time at once')
  for (const [tookUsec, nextMs] of [[10, 100], [100, 100], [300, 300], [5000, 1000]] as const) {
    turns.took(7000, tookUsec)
    t.notOk(turns.due(7000 + nextMs - 51), `${tookUsec} µs`)
    t.ok(turns.due(7000 + nextMs - 49), `${tookUsec} µs`)
    t.same([turns.waitMs(7010), turns.waitMs(9000)], [nextMs - 10, 0])
  }
})
