import t from 'tap'
import { makePrompt } from './prompts.js'

t.test('exactly as many words as asked for', async t => {
  for (const words of [1, 32, 700]) t.equal(makePrompt(1, words).split(' ').length, words)
})

t.test('one seed is one prompt', async t => {
  t.equal(makePrompt(5, 32), makePrompt(5, 32))
})

t.test('two prompts share next to nothing at their beginning', async t => {
  const prompts = Array.from({ length: 300 }, (_, seed) => makePrompt(seed, 32))
  t.equal(new Set(prompts).size, 300)
  const shared = new Set(prompts.map(prompt => prompt.split(' ').slice(0, 4).join(' ')))
  t.equal(shared.size, 300, 'no two begin with the same four words')
})
