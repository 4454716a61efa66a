import { createHash } from 'node:crypto'
import t from 'tap'
import { openGrant } from '../policies/contract.js'
import { Keys } from './keys.js'

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')
const keys = new Keys([
  { name: 'anna', sha256: sha256('secret-a'), weight: 1, bestPriority: 0, admin: true },
  { name: 'bert', sha256: sha256('secret-b'), weight: 2.5, bestPriority: 3, usualPriority: 5, maxPlaces: 2, admin: false },
  { name: 'cleo', sha256: sha256('secret-c'), weight: 1, bestPriority: 4, admin: false }
])
const at = (ip: string) => ({ ip, socket: { remoteAddress: ip } })

t.test('a key in either header is told by its hash; a wrong one, none and half a header are nobody', async t => {
  t.equal(keys.holderOf({ authorization: 'Bearer secret-a' })?.name, 'anna')
  t.equal(keys.holderOf({ authorization: 'bearer   secret-b' })?.name, 'bert')
  t.equal(keys.holderOf({ 'x-api-key': 'secret-c' })?.name, 'cleo')
  t.equal(keys.holderOf({ authorization: 'Bearer wrong', 'x-api-key': 'secret-b' }), undefined, 'the first that is there counts')
  for (const authorization of ['', 'Bearer', 'Bearer ', 'Basic secret-a', 'secret-a', `Bearer ${sha256('secret-a')}`]) t.equal(keys.holderOf({ authorization }), undefined, authorization)
  t.equal(keys.holderOf({}), undefined)
  t.equal(keys.holderOf({ 'x-api-key': ['secret-a'] }), undefined)
})

t.test('who asks: the key\'s name, the address where no key is needed or known', async t => {
  t.equal(keys.required, true)
  t.equal(keys.callerOf({ headers: { authorization: 'Bearer secret-a' }, ...at('127.0.0.1') }).name, 'anna')
  t.same(keys.callerOf({ headers: {}, ...at('127.0.0.1') }), { name: '127.0.0.1', grant: openGrant, admin: false })
  const open = new Keys([])
  t.equal(open.required, false)
  t.same(open.callerOf({ headers: { authorization: 'Bearer secret-a' }, ...at('10.0.0.7') }), { name: '10.0.0.7', grant: openGrant, admin: true }, 'a name nobody checked is no name')
})

t.test('what a key may ask for', async t => {
  t.same(keys.holderOf({ 'x-api-key': 'secret-a' })?.grant, openGrant, 'by default what everybody may')
  t.same(['secret-a', 'secret-b'].map(key => keys.holderOf({ 'x-api-key': key })?.admin), [true, false])
  t.same(keys.holderOf({ 'x-api-key': 'secret-b' })?.grant, { weight: 2.5, bestPriority: 3, usualPriority: 5, maxPlaces: 2 })
  t.same(keys.holderOf({ 'x-api-key': 'secret-c' })?.grant, { weight: 1, bestPriority: 4, usualPriority: 4 }, 'the usual class is never better than the best one')
})
