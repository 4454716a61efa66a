import t from 'tap'
import { needOf, outputField, sureBound } from './need.js'

t.test('what a body asks of the server', async t => {
  for (const [path, json, places, maxTokens] of [
    ['/v1/chat/completions', { messages: [] }, 1, Infinity],
    ['/v1/chat/completions?x=1', { n: 3, max_tokens: 7 }, 3, 7],
    ['/v1/chat/completions', { max_completion_tokens: 5, max_tokens: 9 }, 1, 5],
    ['/v1/chat/completions', { n: 'many', max_tokens: -1 }, 1, Infinity],
    ['/v1/chat/completions', { n: 0, max_tokens: null }, 1, Infinity],
    ['/completion', { prompt: [1, 2, 3], n_predict: 0 }, 1, 0],
    ['/completion', { prompt: ['a', 'b'], n_predict: -1 }, 2, Infinity],
    ['/v1/completions', { prompt: ['a', 'b'], n: 2, max_tokens: 1 }, 4, 1],
    ['/completion', { prompt: [12, 'text', 34] }, 1, Infinity],
    ['/v1/completions', { prompt: [] }, 1, Infinity],
    ['/v1/responses', { input: [{}, {}], max_output_tokens: 4 }, 1, 4],
    ['/v1/messages', { messages: [{}, {}], max_tokens: 4 }, 1, 4],
    ['/v1/embeddings', { input: ['a', 'b', 'c'] }, 3, 0],
    ['/embedding', { content: 'a' }, 1, 0],
    ['/v1/embeddings/', { input: [1, 2, 3] }, 1, 0],
    ['/v1/embeddings', { input: [[1, 2], [3]] }, 2, 0],
    ['/v1/rerank', { query: 'q', documents: ['a', 'b'] }, 2, 0],
    ['/infill', {}, 1, Infinity],
    ['/predict', { instances: [{ '@requestFormat': 'chatCompletions', max_tokens: 4 }, { max_tokens: 9 }] }, 2, 9],
    ['/predict', { instances: [{ max_tokens: 4 }, {}] }, 2, Infinity],
    ['/predict', { instances: 'many' }, 1, Infinity]
  ] as const) t.same(needOf(path, json), { maxTokens, places }, `${path} ${JSON.stringify(json)}`)
})

t.test('the output field that each route obeys', async t => {
  for (const [path, field] of [
    ['/v1/chat/completions', 'max_tokens'], ['/completion', 'n_predict'], ['/completions', 'n_predict'], ['/v1/completions', 'max_tokens'],
    ['/infill', 'n_predict'], ['/v1/responses', 'max_output_tokens'], ['/v1/messages?beta=true', 'max_tokens']
  ] as const) t.equal(outputField(path), field, path)
})

t.test('a bound is sure where the route obeys it and no other one is set', async t => {
  for (const [path, json, tokens] of [
    ['/v1/chat/completions', { max_tokens: 7 }, 7],
    ['/v1/chat/completions', { max_completion_tokens: 7 }, 7],
    ['/v1/chat/completions', { max_completion_tokens: 7, max_tokens: 7 }, 7],
    ['/v1/chat/completions', { max_completion_tokens: 7, max_tokens: 9 }, Infinity],
    ['/v1/chat/completions', { max_output_tokens: 7 }, Infinity],
    ['/v1/responses', { max_output_tokens: 7 }, 7],
    ['/v1/responses', { max_tokens: 7 }, Infinity],
    ['/completion', { n_predict: 7, max_tokens: -1 }, Infinity],
    ['/completion', {}, Infinity]
  ] as const) t.equal(sureBound(path, json), tokens, `${path} ${JSON.stringify(json)}`)
})
