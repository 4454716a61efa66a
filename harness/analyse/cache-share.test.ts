import t from 'tap'
import { cacheFigures, countedShare } from './cache-share.js'
import { converse } from './testing-conversations.js'

function blockOf (condition: string, options: Parameters<typeof converse>[0] = {}) {
  return converse(options).blocks.find(({ evidence }) => evidence.plan.condition === condition) ?? t.fail('no such block') as never
}

t.test('whoever keeps all slots but one finds about the best; who gives away the least recently used one finds the template', async t => {
  const [lru, keeping] = [cacheFigures(blockOf('before'), 4, true), cacheFigures(blockOf('after'), 4, true)]
  if (lru === null || keeping === null) return t.fail('no figures')
  t.equal(lru.cachedTokens, lru.calls * 4)
  t.equal(lru.promptTokens, keeping.promptTokens)
  t.equal(lru.bestTokens, keeping.bestTokens, 'what is best does not depend on what was done')
  t.ok(keeping.cachedTokens / keeping.bestTokens > 0.8 && keeping.cachedTokens <= keeping.bestTokens)
})

t.test('of unrelated prompts nobody finds more than what all have in common', async t => {
  const figures = cacheFigures(blockOf('after', { related: false }), 4, false)
  t.equal(figures?.bestTokens, (figures?.calls ?? NaN) * 4)
})

t.test('no records, no figures', async t => {
  const block = blockOf('after', { without: ['records'] })
  t.equal(cacheFigures(block, 4, true), null)
  t.equal(countedShare(block), null)
  t.equal(countedShare(blockOf('after', { without: ['promptTokensTotal'] })), null)
})

t.test('llama-server’s counter against the records, between the same two readings', async t => {
  t.ok(Math.abs((countedShare(blockOf('after')) ?? NaN) - 1) < 1e-9)
  t.ok(Math.abs((countedShare(blockOf('after', { countedFactor: 1.2 })) ?? NaN) - 1.2) < 1e-9)
})
