import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import t from 'tap'
import { BodyTooLarge, LimitedBody } from './limited-body.js'

const chunks = (...sizes: number[]): Readable => Readable.from(sizes.map(size => Buffer.alloc(size, 'x')))

t.test('a body of as many bytes as allowed goes through whole, in chunks of any size', async t => {
  for (const sizes of [[10], [3, 3, 4], [1, 9]]) {
    const limited = new LimitedBody(10)
    const [body] = await Promise.all([buffer(limited), pipeline(chunks(...sizes), limited)])
    t.equal(body.length, 10, sizes.join('+'))
  }
})

t.test('the first byte beyond the limit ends it, and nothing of that chunk goes on', async t => {
  const limited = new LimitedBody(10)
  let passed = 0
  limited.on('data', (chunk: Buffer) => { passed += chunk.length })
  await t.rejects(pipeline(chunks(6, 5, 100), limited), new BodyTooLarge('more than 10 bytes'))
  t.equal(passed, 6)
})
