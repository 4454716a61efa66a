import t from 'tap'
import { FairShare } from './fair-share.js'
import { inOrder, type Orderable, type OrderOptions } from './order.js'

interface Named extends Orderable { readonly name: string }

function waiting (name: string, more: Partial<Orderable> = {}): Named {
  return { name, caller: name[0] ?? '', weight: 1, priority: 1, atMs: 0, prefillTokens: 100, charge: 100, ...more }
}

function names (line: readonly Named[], options: Partial<OrderOptions>, share = new FairShare(), atMs = 0): string {
  return inOrder(line, { priority: false, fair: false, order: 'fifo', agingMs: 1_000, ...options }, share, atMs).map(({ name }) => name).join(' ')
}

t.test('as they came, unless told otherwise', async t => {
  t.equal(names([waiting('a1', { priority: 5, prefillTokens: 9_999 }), waiting('b1'), waiting('a2', { priority: 0 })], {}), 'a1 b1 a2')
})

t.test('by priority class, and as they came in it', async t => {
  const line = [waiting('a', { priority: 2 }), waiting('b', { priority: 0 }), waiting('c', { priority: 2 }), waiting('d', { priority: 0 })]
  t.equal(names(line, { priority: true }), 'b d a c')
})

t.test('with each agingMs of waiting a call moves up a class', async t => {
  const line = [waiting('old', { priority: 3, atMs: 0 }), waiting('new', { priority: 1, atMs: 2_500 })]
  t.equal(names(line, { priority: true }, new FairShare(), 2_500), 'old new', 'class 3 less 2 is class 1, and it came first')
  t.equal(names(line, { priority: true, agingMs: 1_300 }, new FairShare(), 2_500), 'new old')
  t.equal(names([waiting('ancient', { priority: 9, atMs: 0 }), waiting('best', { priority: 0, atMs: 99_000 })], { priority: true }, new FairShare(), 99_000), 'ancient best', 'never above class 0')
})

t.test('the shortest prompt first, until a longer one has waited agingMs', async t => {
  const line = [waiting('long', { prefillTokens: 900, atMs: 0 }), waiting('short', { prefillTokens: 10, atMs: 500 }), waiting('middle', { prefillTokens: 90, atMs: 600 })]
  t.equal(names(line, { order: 'shortest-prefill' }, new FairShare(), 600), 'short middle long')
  t.equal(names(line, { order: 'shortest-prefill' }, new FairShare(), 1_000), 'long short middle')
})

t.test('callers that are all well behind the one that was served most go as they came, before it', async t => {
  const share = new FairShare()
  for (const [caller, tokens] of [['g', 5_000], ['a', 900], ['b', 300], ['c', 4_850]] as const) share.charge(caller, 1, tokens)
  t.equal(names([waiting('g1'), waiting('a1'), waiting('a2'), waiting('b1')], { fair: true }, share), 'a1 a2 b1 g1')
  t.equal(names([waiting('g1'), waiting('c1'), waiting('b1')], { fair: true }, share), 'b1 c1 g1', 'less than two calls behind: who was served least')
  t.equal(names([waiting('a1'), waiting('b1')], { fair: true }, share), 'b1 a1', 'the one that is not in the line keeps nobody waiting')
})

t.test('callers take turns, whoever came first and however many calls one has', async t => {
  const line = [waiting('a1'), waiting('a2'), waiting('a3'), waiting('b1'), waiting('c1')]
  t.equal(names(line, { fair: true }), 'a1 b1 c1 a2 a3')
})

t.test('who was served more waits for the others; a heavier weight counts', async t => {
  const share = new FairShare()
  share.charge('a', 1, 250)
  t.equal(names([waiting('a1'), waiting('b1'), waiting('b2'), waiting('b3'), waiting('b4')], { fair: true }, share), 'b1 b2 b3 a1 b4')
  const heavy = [waiting('a1'), waiting('a2'), waiting('b1', { weight: 2 }), waiting('b2', { weight: 2 }), waiting('b3', { weight: 2 }), waiting('b4', { weight: 2 })]
  t.equal(names(heavy, { fair: true }), 'a1 b1 b2 a2 b3 b4')
})

t.test('they compose: priority, then fairness, then order in a caller', async t => {
  const line = [
    waiting('a1', { prefillTokens: 900 }), waiting('a2', { prefillTokens: 10 }), waiting('b1', { prefillTokens: 500 }),
    waiting('a3', { priority: 0, prefillTokens: 800 }), waiting('b2', { priority: 0, prefillTokens: 700 })
  ]
  t.equal(names(line, { priority: true, fair: true, order: 'shortest-prefill' }), 'b2 a3 a2 b1 a1')
})
