import { createHash } from 'node:crypto'
import t from 'tap'
import { Keys } from './keys.js'

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')
const keys = new Keys([{ name: 'anna', sha256: sha256('secret-a') }, { name: 'bert', sha256: sha256('secret-b') }])

t.test('a key in either header is told by its hash; a wrong one, none and half a header are nobody', async t => {
  t.equal(keys.callerOf({ authorization: 'Bearer secret-a' }), 'anna')
  t.equal(keys.callerOf({ authorization: 'bearer   secret-b' }), 'bert')
  t.equal(keys.callerOf({ 'x-api-key': 'secret-b' }), 'bert')
  t.equal(keys.callerOf({ authorization: 'Bearer wrong', 'x-api-key': 'secret-b' }), undefined, 'the first that is there counts')
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic secret-a', 'secret-a', `Bearer ${sha256('secret-a')}`]) t.equal(keys.callerOf({ authorization }), undefined, authorization)
  t.equal(keys.callerOf({}), undefined)
  t.equal(keys.callerOf({ 'x-api-key': ['secret-a'] }), undefined)
})

t.test('who asks: the key\'s name, the address where no key is needed or known', async t => {
  t.equal(keys.required, true)
  t.equal(keys.nameOf({ headers: { authorization: 'Bearer secret-a' }, ip: '127.0.0.1' }), 'anna')
  t.equal(keys.nameOf({ headers: {}, ip: '127.0.0.1' }), '127.0.0.1')
  const open = new Keys([])
  t.equal(open.required, false)
  t.equal(open.nameOf({ headers: { authorization: 'Bearer secret-a' }, ip: '10.0.0.7' }), '10.0.0.7', 'a name nobody checked is no name')
})
