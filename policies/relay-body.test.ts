import t from 'tap'
import { RelayBody } from './relay-body.js'
import type { Sink } from './relay-body.js'

function sinkOf (room = true): Sink & { readonly got: string[] } {
  const got: string[] = []
  return {
    got,
    write (chunk) {
      got.push(chunk.toString())
      return room
    },
    end () { got.push('END') },
    cut (error) { got.push(`CUT ${error.message}`) }
  }
}

function bodyOf (): { body: RelayBody, resumed: () => number } {
  let resumed = 0
  return { body: new RelayBody(() => { resumed++ }), resumed: () => resumed }
}

t.test('whatever comes before or after the sink, it gets all in order', async t => {
  for (let before = 0; before <= 4; before++) {
    for (const end of ['END', 'CUT gone']) {
      const { body } = bodyOf()
      const sink = sinkOf()
      const steps = [...['a', 'b', 'c'].map(text => () => { body.deliver(Buffer.from(text)) }), () => { if (end === 'END') body.finish(); else body.fail(new Error('gone')) }]
      for (const step of steps.slice(0, before)) step()
      t.ok(body.relayTo(sink))
      for (const step of steps.slice(before)) step()
      t.same(sink.got, ['a', 'b', 'c', end], `${before} steps before the sink`)
    }
  }
})

t.test('upstream is paused while nobody takes the bytes or the sink is full, and goes on when there is room', async t => {
  const { body, resumed } = bodyOf()
  t.ok(body.deliver(Buffer.alloc(64 * 1024 - 1)))
  t.notOk(body.deliver(Buffer.alloc(1)))
  body.relayTo(sinkOf(false))
  t.equal(resumed(), 0, 'the sink is full')
  t.notOk(body.deliver(Buffer.alloc(1)))
  body.resumeRelay()
  t.equal(resumed(), 1)
})

t.test('a whole body can be taken at once, but only when it is complete and nobody reads it', async t => {
  const { body } = bodyOf()
  body.deliver(Buffer.from('a'))
  t.equal(body.takeWhole(), undefined)
  body.deliver(Buffer.from('b'))
  body.finish()
  t.equal(String(body.takeWhole()), 'ab')
  const failed = bodyOf().body
  failed.fail(new Error('gone'))
  t.equal(failed.takeWhole(), undefined)
})

t.test('a policy reads it like any stream, and then no sink can have it', async t => {
  const { body } = bodyOf()
  body.deliver(Buffer.from('a'))
  const parts: string[] = []
  const read = (async () => { for await (const part of body) parts.push(String(part)) })()
  await new Promise(resolve => { setImmediate(resolve) })
  body.deliver(Buffer.from('b'))
  t.notOk(body.relayTo(sinkOf()))
  body.finish()
  await read
  t.same(parts, ['a', 'b'])
  const broken = bodyOf().body
  broken.deliver(Buffer.from('a'))
  const reading = (async () => { for await (const part of broken) parts.push(String(part)) })()
  await new Promise(resolve => { setImmediate(resolve) })
  broken.fail(new Error('gone'))
  await t.rejects(reading, { message: 'gone' })
})
