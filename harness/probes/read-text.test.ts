import t from 'tap'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keptFile, readText } from './read-text.js'

t.test('a kept file is read anew, however long it has become', async t => {
  const path = join(t.testdir({ file: 'short' }), 'file')
  const kept = keptFile(path)
  t.equal(kept.read(), 'short')
  for (const length of [3071, 3072, 16_384, 100_000, 1]) {
    writeFileSync(path, 'x'.repeat(length))
    t.equal(kept.read()?.length, length)
    t.equal(readText(path)?.length, length)
  }
  kept.close()
  kept.close()
  t.equal(kept.read(), undefined)
})

t.test('a file that is not there, and one that cannot be read, is undefined for good', async t => {
  const path = join(t.testdir(), 'later')
  const kept = keptFile(path)
  writeFileSync(path, 'now')
  t.equal(kept.read(), undefined)
  t.equal(keptFile(t.testdirName).read(), undefined)
  t.equal(readText('/nowhere'), undefined)
})
