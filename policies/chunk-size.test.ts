import t from 'tap'
import { ChunkSize } from './chunk-size.js'

t.test('a chunk is a time: its tokens follow the speed at which chunks were evaluated', async t => {
  for (const [msPerToken, tokens] of [[6, 64], [12.5, 64], [3, 128], [100, 64], [0.01, 2_048]] as const) {
    const size = new ChunkSize(400)
    t.equal(size.tokens(msPerToken), tokens, `guessed: ${msPerToken} ms/token`)
    for (let i = 0; i < 40; i++) size.sample(size.tokens(msPerToken), size.tokens(msPerToken) * msPerToken)
    t.equal(size.tokens(999), tokens, `learned: ${msPerToken} ms/token`)
  }
})

t.test('without knowledge it is the smallest, and from there at most doubles', async t => {
  const size = new ChunkSize(400)
  const seen: number[] = []
  for (let i = 0; i < 8; i++) {
    seen.push(size.tokens(0))
    size.sample(size.tokens(0), size.tokens(0) * 0.1)
  }
  t.same(seen, [64, 128, 256, 512, 1_024, 2_048, 2_048, 2_048])
})

t.test('a server that became slower gets smaller chunks; one that was in the cache says nothing', async t => {
  const size = new ChunkSize(400)
  for (let i = 0; i < 20; i++) size.sample(128, 128 * 3)
  for (let i = 0; i < 20; i++) size.sample(4, 20)
  t.equal(size.tokens(0), 128)
  for (let i = 0; i < 20; i++) size.sample(64, 64 * 6)
  t.equal(size.tokens(0), 64)
})

t.test('others in the same batch make a chunk look slow, and do not halve the next ones', async t => {
  const size = new ChunkSize(400)
  for (let i = 0; i < 60; i++) size.sample(128, 128 * (i % 3 === 0 ? 6 : 3))
  t.equal(size.tokens(0), 64 * 1)
  const lightly = new ChunkSize(400)
  for (let i = 0; i < 60; i++) lightly.sample(128, 128 * (i % 3 === 0 ? 4 : 3))
  t.equal(lightly.tokens(0), 128)
})
