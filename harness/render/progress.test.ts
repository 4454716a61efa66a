import { PassThrough } from 'node:stream'
import t from 'tap'
import { createProgress, timesText } from './progress.js'

function fakeStream (isTTY: boolean) {
  const written: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, cursorTo: () => true, clearLine: () => true, moveCursor: () => true })
  stream.on('data', (chunk: Buffer) => written.push(chunk.toString()))
  // What ora and createProgress use of a terminal is there; the rest of WriteStream is not needed.
  return { stream: stream as unknown as NodeJS.WriteStream, written }
}

t.test('plain: a line per new step, else one in ten seconds', async (t) => {
  const { stream, written } = fakeStream(false)
  let nowMs = 0
  const progress = createProgress(stream, 100, () => nowMs)
  progress.step('block 1/16 before: load 8 s', 0)
  progress.step('block 1/16 before: load 8 s', 0)
  nowMs = 9_400
  progress.step('block 1/16 before: load 8 s', 0)
  nowMs = 10_000
  progress.step('block 1/16 before: load 8 s', 0)
  nowMs = 20_000
  progress.step('block 2/16 after\u001b[2J', 0.1)
  progress.note('a note')
  progress.done()
  progress.step('late', 1)
  progress.note('late')
  progress.done()
  t.same(written.join('').split('\n'), [
    'block 1/16 before: load 8 s (0 s, 1 min 40 s left)',
    'block 1/16 before: load 8 s (10 s, 1 min 30 s left)',
    'block 2/16 after\uFFFD[2J (20 s, 3 min 00 s left)',
    'a note',
    ''
  ])
})

t.test('a terminal gets a spinner, notes that stay, and its cursor back', async (t) => {
  const { stream, written } = fakeStream(true)
  const progress = createProgress(stream, 100, () => 0)
  progress.step('block 1/16', 0)
  progress.note('a note')
  progress.done()
  progress.done()
  const text = written.join('')
  t.match(text, 'block 1/16 (0 s, 1 min 40 s left)')
  t.match(text, 'a note\n')
  t.ok(text.lastIndexOf('\u001b[?25h') > text.lastIndexOf('\u001b[?25l'), 'the cursor is shown again')
})

t.test('the plan is believed first, the pace of the run later, never less than nothing', async (t) => {
  t.equal(timesText(3, 0.01, 60), '3 s, 57 s left')
  t.equal(timesText(30, 0.25, 60), '30 s, 1 min 30 s left')
  t.equal(timesText(90, 0.01, 60), '1 min 30 s, 0 s left')
  t.equal(timesText(90, 1, 60), '1 min 30 s, 0 s left')
})
