import t from 'tap'
import { makeBody } from './testing.js'
import { fewestTurns, Truncation } from './truncate.js'

t.test('what remains without the oldest turns', async t => {
  const [s, u1, a1, u2, d, u3] = [
    { role: 'system', content: 'sss' }, { role: 'user', content: [{ type: 'text', text: 'u1' }, { type: 'image_url', image_url: {} }] }, { role: 'assistant', content: 'a1a1' },
    { role: 'user', content: 'u2' }, { role: 'developer', content: 'd' }, { role: 'user', content: 'u3' }
  ]
  const truncation = Truncation.of({ path: '/v1/chat/completions', body: makeBody({ model: 'm', messages: [s, u1, a1, u2, d, u3] }) })
  t.equal(truncation?.most, 2)
  t.same([0, 1, 2].map(dropped => truncation?.json(dropped)), [
    { model: 'm', messages: [s, u1, a1, u2, d, u3] }, { model: 'm', messages: [s, u2, d, u3] }, { model: 'm', messages: [s, d, u3] }
  ])
  t.same([0, 1, 2].map(dropped => truncation?.shape(dropped)), [{ chars: 14, turns: 4, images: 1 }, { chars: 8, turns: 2, images: 0 }, { chars: 6, turns: 1, images: 0 }])
  t.throws(() => truncation?.shape(3), { message: '3 turns cannot be dropped; at most 2 can' })
})

t.test('what cannot lose a turn', async t => {
  const of = (json: Readonly<Record<string, unknown>>): number | undefined => Truncation.of({ path: '/completion', body: makeBody(json) })?.most
  t.equal(of({ messages: [{ role: 'user', content: 'a' }] }), 0)
  t.equal(of({ messages: [{ role: 'system', content: 'a' }] }), 0)
  t.equal(of({ messages: [] }), 0)
  t.equal(of({ prompt: 'a' }), undefined)
})

/** Turns with these tokens, and 100 characters each unless told otherwise; beside them nothing. */
async function search (turns: readonly number[], limitTokens: number, chars: readonly number[] = turns.map(() => 100), fails = false) {
  const sumFrom = (list: readonly number[], dropped: number): number => list.slice(dropped).reduce((sum, value) => sum + value, 0)
  const counts: number[] = []
  const found = await fewestTurns({
    tooLong: { dropped: 0, tokens: sumFrom(turns, 0) },
    most: turns.length - 1,
    limitTokens,
    charsLeft: dropped => sumFrom(chars, dropped),
    tokensLeft: async dropped => {
      counts.push(dropped)
      return fails ? undefined : sumFrom(turns, dropped)
    }
  })
  return { ...found, counts }
}

t.test('the fewest turns, by at most three counts', async t => {
  const ten = (value: number): number[] => Array.from({ length: 10 }, () => value)
  const cases: ReadonlyArray<readonly [what: string, turns: readonly number[], limitTokens: number, dropped: number, counts: readonly number[]]> = [
    ['equal ones', ten(25), 100, 6, [6]],
    ['just enough', ten(25), 249, 1, [1]],
    ['the first has most of it', [200, ...ten(10)], 105, 1, [8, 6, 1]],
    ['the last has most of it', [...ten(10), 200], 250, 5, [2, 5]],
    ['all but the last', ten(25), 25, 9, [9]],
    ['not even the last fits', ten(25), 24, 9, [9]],
    ['one turn: nothing to drop', [50], 40, 0, []],
    ['two turns', [10, 50], 50, 1, [1]],
    ['wrong twice: then the last alone, to know whether anything fits', [100, 1, 1, 1, 1, 30, 1, 1, 60, 40], 100, 9, [6, 7, 9]]
  ]
  for (const [what, turns, limitTokens, dropped, counts] of cases) {
    const found = await search(turns, limitTokens)
    t.same([found.dropped, found.counts], [dropped, counts], what)
    t.equal(found.tokens, turns.slice(dropped).reduce((sum, value) => sum + value, 0), `${what}: the count is that of what remains`)
  }
})

t.test('turns without text, and a backend that does not answer', async t => {
  t.match(await search([50, 50, 50], 60, [0, 0, 0]), { dropped: 2, tokens: 50, counts: [2] })
  t.match(await search([50, 50, 50], 60, undefined, true), { dropped: 0, tokens: 150, counts: [2] }, 'what is known')
})
