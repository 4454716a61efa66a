import t from 'tap'
import { Caps } from './caps.js'
import type { CapName } from './prompt-cap-options.js'

const caps = new Caps({
  maxTurns: 10,
  maxImages: 2,
  whenTooLong: 'truncate',
  perRoute: {
    '/v1/embeddings': { maxPromptChars: 100, maxTurns: 5 },
    '/completions': { maxImages: 0, maxTurns: 6 },
    '/v1/completions': { maxImages: 1 }
  },
  perCaller: { ann: { maxTurns: 50 } }
})
const route = 'prompt-cap.perRoute["/v1/embeddings"]'

t.test('the caller goes over the route, the route over all, each cap by itself', async t => {
  const cases: ReadonlyArray<readonly [caller: string, path: string, name: CapName, value: number | undefined, option?: string]> = [
    ['bob', '/v1/chat/completions', 'maxTurns', 10, 'prompt-cap.maxTurns'],
    ['bob', '/v1/chat/completions', 'maxPromptChars', undefined],
    ['bob', '/v1/embeddings', 'maxTurns', 5, `${route}.maxTurns`],
    ['bob', '/v1/embeddings', 'maxPromptChars', 100, `${route}.maxPromptChars`],
    ['bob', '/v1/embeddings', 'maxImages', 2, 'prompt-cap.maxImages'],
    ['bob', '/embeddings/?x=/v1/completions', 'maxTurns', 5, `${route}.maxTurns`],
    ['bob', '/completions', 'maxImages', 0, 'prompt-cap.perRoute["/completions"].maxImages'],
    ['bob', '/v1/completions', 'maxImages', 1, 'prompt-cap.perRoute["/v1/completions"].maxImages'],
    ['bob', '/v1/completions', 'maxTurns', 6, 'prompt-cap.perRoute["/completions"].maxTurns'],
    ['ann', '/v1/embeddings', 'maxTurns', 50, 'prompt-cap.perCaller["ann"].maxTurns'],
    ['ann', '/v1/embeddings', 'maxPromptChars', 100, `${route}.maxPromptChars`],
    ['ann', '/v1/messages', 'maxImages', 2, 'prompt-cap.maxImages'],
    ['toString', '/v1/messages', 'maxTurns', 10, 'prompt-cap.maxTurns'],
    ['bob', '/v1/embeddings', 'maxTokens', 1_024, 'prompt-cap.maxTokens'],
    ['bob', '/v1/messages', 'minOutputTokens', 1, 'prompt-cap.minOutputTokens']
  ]
  for (const [caller, path, name, value, option] of cases) {
    t.same(caps.of({ caller, path })[name], value === undefined ? undefined : { value, option }, `${name} of ${caller} at ${path}`)
  }
})

t.test('without options there is a bound of the output and nothing else', async t => {
  t.same(Object.keys(new Caps({}).of({ caller: 'bob', path: '/completion' })).sort(), ['maxTokens', 'minOutputTokens'])
})
