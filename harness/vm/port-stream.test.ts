import t from 'tap'
import { endMark, untilEndMark } from './port-stream.js'

/** What is given on, and whether the stream was over, after pieces of this length. */
function cut (data: Buffer, length: number): { given: string, over: boolean } {
  const given: Buffer[] = []
  const isOver = untilEndMark(data => given.push(data))
  let over = false
  for (let at = 0; at < data.length; at += length) over = isOver(data.subarray(at, at + length))
  return { given: Buffer.concat(given).toString('latin1'), over }
}

t.test('the mark ends the stream, however it is cut', async t => {
  const text = 'output\0\0weir-en\0weir-\xff'
  const whole = Buffer.concat([Buffer.from(text, 'latin1'), endMark])
  for (let length = 1; length <= whole.length; length++) t.strictSame(cut(whole, length), { given: text, over: true }, `pieces of ${length}`)
})

t.test('what comes after it is dropped; nothing is held back but what may be its beginning', async t => {
  t.strictSame(cut(Buffer.concat([Buffer.from('a'), endMark, Buffer.from('b')]), 3), { given: 'a', over: true })
  t.strictSame(cut(Buffer.from('progress: 1\n'), 100), { given: 'progress: 1\n', over: false })
  t.strictSame(cut(Buffer.from('a\0weir'), 100), { given: 'a', over: false })
})
