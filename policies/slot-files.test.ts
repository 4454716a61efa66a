import t from 'tap'
import type { Content } from './prefix-memory.js'
import { SlotFiles } from './slot-files.js'

/** One token for each character. */
const content = (text: string, outputTokens = 0): Content => ({ text, promptTokens: text.length, outputTokens, usedAtMs: 0, whole: true })
const a = content('a'.repeat(1_000))
const b = content('b'.repeat(1_000))
const long = 'c'.repeat(1_000)

t.test('what would be lost is written, what is in a file is read, and little of either is not worth it', async t => {
  const files = new SlotFiles({ count: 2, minTokens: 500 })
  t.same(files.plan(long, 0, a, 1_000), { save: 0 })
  t.equal(files.plan(long, 0, a, 499), undefined, 'little is lost')
  t.equal(files.plan(long, 0, undefined, 1_000), undefined, 'it is not known what is in the slot')
  files.saved(0, a)
  t.same(files.plan(`${a.text} more`, 0, b, 1_000), { save: 1, restore: 0 })
  t.same(files.plan(`${a.text} more`, 0, undefined, 0), { restore: 0 })
  t.equal(files.plan(`${a.text} more`, 600, undefined, 0), undefined, 'the slot has most of it itself')
  t.same(files.plan(`${a.text} more`, 0, b, 10), { save: 1, restore: 0 }, 'reading a file replaces all that is in the slot')
})

t.test('a file is written over by a later turn of its conversation, else the one that was used longest ago', async t => {
  const files = new SlotFiles({ count: 2, minTokens: 500 })
  files.saved(0, a)
  files.saved(1, b)
  t.equal(files.plan(long, 0, a, 1_000), undefined, 'all of it is in a file')
  t.same(files.plan(long, 0, content(`${b.text} and on`), 1_000), { save: 1 })
  t.same(files.plan(long, 0, content('d'.repeat(1_000)), 1_000), { save: 0 })
  files.used(0)
  t.same(files.plan(long, 0, content('d'.repeat(1_000)), 1_000), { save: 1 })
  t.same(files.plan(`${b.text} more`, 0, content('d'.repeat(1_000)), 1_000), { save: 0, restore: 1 }, 'never the one that is read')
  files.forget(1)
  t.equal(files.best(b.text), undefined)
  t.equal(files.size, 1)
})

t.test('with one file nothing is written over it while it is read', async t => {
  const files = new SlotFiles({ count: 1, minTokens: 500 })
  files.saved(0, a)
  t.same(files.plan(`${a.text} more`, 0, b, 1_000), { restore: 0 })
})

t.test('what was generated after a prompt comes back with it', async t => {
  const files = new SlotFiles({ count: 1, minTokens: 500 })
  files.saved(0, content('x'.repeat(600), 300))
  t.match(files.best(`${'x'.repeat(600)} and on`), { file: 0, reuse: { leastTokens: 600, likelyTokens: 900 } })
})
