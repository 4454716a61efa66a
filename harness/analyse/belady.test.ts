import t from 'tap'
import { seededRandom } from '../stats/random.js'
import { bestCachedTokens, type SlotUse } from './belady.js'

/** Tries every slot for every call, one call after the other. */
function bruteForce (uses: readonly SlotUse[], slots: number, held: ReadonlyArray<number | undefined> = Array<undefined>(slots).fill(undefined)): number {
  const [use, ...rest] = uses
  if (use === undefined) return 0
  return Math.max(...held.map((conversation, slot) => {
    const found = conversation === use.conversation ? use.keptTokens : use.otherwiseTokens
    return found + bruteForce(rest, slots, held.map((each, index) => index === slot ? use.conversation : each))
  }))
}

function turns (order: readonly number[], tokens: (index: number) => number = () => 100): SlotUse[] {
  return order.map((conversation, index) => ({ conversation, fromMs: index * 10, toMs: index * 10 + 5, keptTokens: tokens(index), otherwiseTokens: 4 }))
}

t.test('conversations that take turns: all slots but one keep theirs', async t => {
  // 3 conversations, 2 slots: one keeps its slot, the other slot serves two.
  const order = Array.from({ length: 12 }, (_, index) => index % 3)
  t.equal(bestCachedTokens(turns(order), 2), bruteForce(turns(order), 2))
  t.equal(bestCachedTokens(turns(order), 3), 9 * 100 + 3 * 4, 'a slot for each: all but the first turns')
  t.equal(bestCachedTokens(turns(order), 1), 12 * 4)
})

t.test('as good as the best of all choices', async t => {
  const random = seededRandom(7)
  for (let round = 0; round < 60; round++) {
    const slots = 1 + Math.floor(random() * 3)
    const order = Array.from({ length: 8 }, () => Math.floor(random() * 4))
    const tokens = order.map(() => 5 + Math.floor(random() * 100))
    const uses = turns(order, index => tokens[index] ?? 0)
    t.equal(bestCachedTokens(uses, slots), bruteForce(uses, slots), `${slots} slots, ${order.join(' ')}`)
  }
})

t.test('a slot in which a call runs keeps nothing else meanwhile', async t => {
  const use = (conversation: number, fromMs: number, toMs: number): SlotUse => ({ conversation, fromMs, toMs, keptTokens: 100, otherwiseTokens: 0 })
  const uses = [use(0, 0, 10), use(1, 20, 60), use(2, 30, 50), use(0, 70, 80)]
  t.equal(bestCachedTokens(uses, 3), 100)
  t.equal(bestCachedTokens(uses, 2), 0, 'both slots are in use at once')
  t.equal(bestCachedTokens([use(0, 0, 10), use(1, 20, 30), use(2, 30, 50), use(0, 70, 80)], 2), 100, 'one after the other they are not')
  t.equal(bestCachedTokens([use(0, 0, 10), use(0, 10, 20)], 1), 100, 'nothing lies between')
})

t.test('nothing was called', async t => {
  t.equal(bestCachedTokens([], 2), 0)
})
