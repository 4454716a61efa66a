import { PassThrough, Readable } from 'node:stream'
import t from 'tap'
import { refusal } from './answers.js'
import { BrokenOff } from './broken-off.js'
import type { Answer, Outcome } from './contract.js'
import { deferred } from './deferred.js'
import { QueueNotice } from './queue-notice.js'
import { settle } from './testing.js'

function heard (notice: QueueNotice): { text: string, error?: Error, ended: boolean } {
  const said: { text: string, error?: Error, ended: boolean } = { text: '', ended: false }
  const { body } = notice.answer
  if (!(body instanceof Readable)) throw new TypeError('a notice has a stream')
  body.on('data', (chunk: Buffer) => { said.text += chunk.toString() })
  body.on('error', (error: Error) => { said.error = error })
  body.on('end', () => { said.ended = true })
  return said
}

t.test('comments first, then what upstream says', async t => {
  const notice = new QueueNotice()
  const said = heard(notice)
  notice.say(2, 40_200)
  notice.say(1, 900)
  const body = new PassThrough()
  const over = deferred<Outcome>()
  const released = deferred<void>()
  notice.follow({ status: 200, headers: {}, body, over: over.promise, released: released.promise })
  body.write('data: {}\n\n')
  body.end('data: [DONE]\n\n')
  over.resolve({ how: 'complete', bytes: 24, firstByteAtMs: 7 })
  await settle()
  t.equal(said.text, ': queued position=2 eta=41s\n\n: queued position=1 eta=1s\n\ndata: {}\n\ndata: [DONE]\n\n')
  t.equal(said.ended, true)
  t.match(await notice.answer.over, { how: 'complete', bytes: 24 + 57, firstByteAtMs: 7 })
  let free = false
  notice.answer.released.then(() => { free = true })
  await settle()
  t.equal(free, false, 'the place hangs on upstream')
  released.resolve()
  await settle()
  t.equal(free, true)
})

t.test('a refusal after it is an error with its status, its words and its reason', async t => {
  const notice = new QueueNotice()
  const said = heard(notice)
  notice.say(1, 0)
  notice.refuse(refusal({ status: 503, type: 'unavailable_error', reason: 'queue-timeout', message: 'No place became free.' }))
  await settle()
  t.ok(said.error instanceof BrokenOff)
  t.match(said.error, { message: 'No place became free.', status: 503, reason: 'queue-timeout' })
  t.match(await notice.answer.over, { how: 'cut', reason: 'queue-timeout' })
  await notice.answer.released
})

t.test('so is what upstream refuses', async t => {
  const notice = new QueueNotice()
  const said = heard(notice)
  const body = Buffer.from('{"error":{"message":"too long","code":400}}')
  const answer: Answer = { status: 400, headers: {}, body, over: Promise.resolve({ how: 'complete', bytes: 1 }), released: Promise.resolve() }
  notice.follow(answer)
  await settle()
  t.match(said.error, { message: 'too long', status: 400 })
  const odd = new QueueNotice()
  const oddly = heard(odd)
  odd.follow({ ...answer, status: 500, body: Buffer.from('oops') })
  await settle()
  t.match(oddly.error, { message: 'llama-server answered 500', status: 500 })
})

t.test('an answer that breaks off breaks it off; a whole one ends it', async t => {
  const notice = new QueueNotice()
  const said = heard(notice)
  const body = new PassThrough()
  notice.follow({ status: 200, headers: {}, body, over: new Promise(() => {}), released: new Promise(() => {}) })
  body.destroy(new Error('reset'))
  await settle()
  t.match(said.error, { message: 'reset' })
  const whole = new QueueNotice()
  const all = heard(whole)
  whole.follow({ status: 200, headers: {}, body: Buffer.from('x'), over: Promise.resolve({ how: 'complete', bytes: 1 }), released: Promise.resolve() })
  await settle()
  t.match(all, { text: 'x', ended: true })
})

t.test('a client that left is over, and its place is taken until upstream let go', async t => {
  const notice = new QueueNotice()
  heard(notice)
  const released = deferred<void>()
  notice.abandon('left', released.promise)
  t.match(await notice.answer.over, { how: 'left' })
  let free = false
  notice.answer.released.then(() => { free = true })
  await settle()
  t.equal(free, false)
  released.resolve()
  await settle()
  t.equal(free, true)
})
