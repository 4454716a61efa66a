import t from 'tap'
import { untilIdle } from './until-idle.js'

const { signal } = new AbortController()

t.test('idle is who has used next to nothing for a moment, or is gone', async t => {
  t.equal(await untilIdle(() => 5_000_000, signal), true)
  // An hour of CPU time at each look, however long the sleep was; then none.
  const seen = [0, 3.6e9, 7.2e9, 7.2e9, 1e10]
  t.equal(await untilIdle(() => seen.shift(), signal), true)
  t.same(seen, [1e10], 'looked again until then, and no longer')
  t.equal(await untilIdle(() => undefined, signal), true)
})

t.test('who still works when the time is over is not, nor who was looked at in vain', async t => {
  let usec = 0
  t.equal(await untilIdle(() => { usec += 3.6e9; return usec }, signal, 250), false)
  t.equal(await untilIdle(() => 0, AbortSignal.abort()), false)
})
