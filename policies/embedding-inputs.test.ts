import t from 'tap'
import { embeddingInputsOf } from './embedding-inputs.js'
import { makeCall } from './testing.js'

const of = (json: Record<string, unknown>, path = '/v1/embeddings', caller = 'a') => embeddingInputsOf(makeCall({ path, caller, route: 'slot-bound' }, json))

t.test('one input, several, and ids', async t => {
  const cases: ReadonlyArray<readonly [unknown, unknown]> = [
    ['a b', ['a b']],
    [['a', 'b'], ['a', 'b']],
    [[1, 2], [[1, 2]]],
    [[[1, 2], [3]], [[1, 2], [3]]],
    [['a', [3]], ['a', [3]]]
  ]
  for (const [input, prompts] of cases) t.same(of({ input })?.prompts, prompts, JSON.stringify(input))
  t.match(of({ content: ['a', 'b'] }, '/embedding'), { field: 'content', prompts: ['a', 'b'] })
})

t.test('what llama-server must judge itself goes alone', async t => {
  for (const json of [{}, { input: '' }, { input: [] }, { input: ['a', ''] }, { input: [1, 'a'] }, { input: [1.5] }, { input: [{ prompt_string: 'a' }] }, { input: 'a', content: 'b' }, { input: 'a', lora: [] }]) {
    t.equal(of(json), undefined, JSON.stringify(json))
  }
  t.equal(of({ input: 'a' }, '/v1/rerank'), undefined)
})

t.test('only calls that differ in nothing but their inputs may be one', async t => {
  const settings = of({ input: 'a', model: 'm', encoding_format: 'float' })?.settings
  t.equal(of({ encoding_format: 'float', input: ['b', 'c'], model: 'm', user: 'u' })?.settings, settings)
  const others = [of({ input: 'a', model: 'n', encoding_format: 'float' }), of({ input: 'a', model: 'm', encoding_format: 'base64' }), of({ input: 'a', model: 'm' }), of({ content: 'a', model: 'm', encoding_format: 'float' }), of({ input: 'a', model: 'm', encoding_format: 'float' }, '/embeddings'), of({ input: 'a', model: 'm', encoding_format: 'float' }, '/v1/embeddings', 'b')]
  for (const other of others) t.not(other?.settings ?? settings, settings)
})

t.test('tokens: ids are counted, texts estimated by bytes', async t => {
  t.equal(of({ input: [[1, 2, 3], 'ten bytes!'] })?.tokens, 5)
})
