import PQueue from 'p-queue'
import t from 'tap'
import { lineFor } from './line.js'
import { settle } from './testing.js'

t.test('a p-queue with this line runs only what is granted, in the order of the grants', async t => {
  const granted: string[] = []
  const queue = new PQueue({ concurrency: 2, queueClass: lineFor(granted) })
  const ran: string[] = []
  for (const id of ['a', 'b', 'c']) queue.add(async () => { ran.push(id) }, { id }).catch(() => t.fail('nothing may reject'))
  await settle()
  t.same(ran, [])
  granted.push('b', 'a')
  queue.concurrency = 2
  await settle()
  t.same(ran, ['b', 'a'])
  t.equal(queue.sizeBy({}), 0)
})

t.test('an aborted signal takes a waiting run out', async t => {
  const granted: string[] = []
  const queue = new PQueue({ concurrency: 1, queueClass: lineFor(granted) })
  const leaving = new AbortController()
  const left = queue.add(async () => t.fail('it ran'), { id: 'a', signal: leaving.signal })
  leaving.abort(new Error('gone'))
  await t.rejects(left, { message: 'gone' })
})

t.test('misuse says what is wrong', async t => {
  const line = new (lineFor([]))()
  t.throws(() => line.enqueue(async () => undefined, {}), /needs the id/)
  t.throws(() => line.setPriority('a', 1), /the order is the schedule's/)
  t.equal(line.dequeue(), undefined)
})
