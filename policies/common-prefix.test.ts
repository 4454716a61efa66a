import t from 'tap'
import { commonPrefix } from './common-prefix.js'

t.test('as long as both are the same', async t => {
  const long = 'abcdefgh'.repeat(1_000)
  const cases: ReadonlyArray<readonly [a: string, b: string, length: number]> = [
    ['', 'a', 0], ['a', 'b', 0], ['abc', 'abd', 2], ['abc', 'abc', 3], ['abc', 'abcd', 3],
    [long, long, 8_000], [long, `${long.slice(0, 1_024)}x`, 1_024], [`${long.slice(0, 2_047)}x${long}`, long, 2_047], [long, long.slice(0, 5_000), 5_000]
  ]
  for (const [a, b, length] of cases) {
    t.equal(commonPrefix(a, b), length)
    t.equal(commonPrefix(b, a), length)
  }
})
