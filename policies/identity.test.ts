import t from 'tap'
import { identityOf } from './identity.js'
import { makeCall } from './testing.js'

t.test('a repetition has the same identity, another body, caller or route another one', async t => {
  const body = { prompt: 'a' }
  const identity = identityOf(makeCall({}, body))()
  t.equal(identityOf(makeCall({}, body))(), identity)
  for (const other of [makeCall({}, { prompt: 'b' }), makeCall({ caller: 'somebody else' }, body), makeCall({ path: '/v1/completions' }, body)]) t.not(identityOf(other)(), identity)
})
