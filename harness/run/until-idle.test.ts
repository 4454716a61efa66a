import t from 'tap'
import { untilIdle } from './until-idle.js'

const { signal } = new AbortController()
const using = (...usec: Array<number | undefined>) => () => usec.length > 1 ? usec.shift() : usec[0]

t.test('idle is who has used next to nothing for a moment, or is gone', async t => {
  t.equal(await untilIdle(using(5_000_000), signal), true)
  const seen = [0, 50_000, 90_000, 95_000, 200_000]
  t.equal(await untilIdle(() => seen.shift(), signal), true)
  t.same(seen, [200_000], 'looked again until then, and no longer')
  t.equal(await untilIdle(using(undefined), signal), true)
})

t.test('who still works when the time is over is not, nor who was looked at in vain', async t => {
  let usec = 0
  t.equal(await untilIdle(() => { usec += 100_000; return usec }, signal, 250), false)
  t.equal(await untilIdle(using(0), AbortSignal.abort()), false)
})
