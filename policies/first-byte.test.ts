import t from 'tap'
import { FirstByte } from './first-byte.js'

t.test('the estimate is of the same or the next smaller company', async t => {
  const firstByte = new FirstByte()
  t.equal(firstByte.estimateMs(4, 0), 0, 'nothing is known')
  t.equal(firstByte.cautiousMs(4, 0), 0)
  firstByte.sample(2, 200, 0)
  firstByte.sample(4, 400, 0)
  t.same([1, 2, 3, 4, 5].map(taken => firstByte.estimateMs(taken, 0)), [0, 200, 200, 400, 400])
  t.equal(firstByte.cautiousMs(4, 0), 450)
})

t.test('it follows slowly, and its caution follows the spread', async t => {
  const firstByte = new FirstByte()
  for (let call = 0; call < 50; call++) firstByte.sample(1, 100, call)
  t.ok(firstByte.cautiousMs(1, 50) - 100 < 1, 'always the same')
  firstByte.sample(1, 180, 51)
  t.equal(Math.round(firstByte.estimateMs(1, 51)), 110)
  t.ok(firstByte.cautiousMs(1, 51) > 119)
})

t.test('an estimate without samples for a minute is forgotten: it may keep out those who would correct it', async t => {
  const firstByte = new FirstByte()
  firstByte.sample(1, 100, 0)
  t.equal(firstByte.estimateMs(1, 60_000), 100)
  t.equal(firstByte.estimateMs(1, 60_001), 0)
})
