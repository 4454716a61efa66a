import t from 'tap'
import { isDeterministic, refersElsewhere } from './determinism.js'
import { makeCall } from './testing.js'

const says = (json: Record<string, unknown>, defaults: Record<string, unknown> = {}, path = '/v1/chat/completions'): boolean => isDeterministic(makeCall({ path }, json), defaults)
const usual = ['penalties', 'dry', 'top_n_sigma', 'top_k', 'typ_p', 'top_p', 'min_p', 'xtc', 'temperature']
/** What a real server's `/props` says. */
const real = { temperature: 0.8, seed: 4294967295, dynatemp_range: 0, xtc_probability: 0, mirostat: 0, samplers: usual, backend_sampling: false }

t.test('one answer only', async t => {
  for (const json of [
    { temperature: 0 }, { temperature: -1 }, { temperature: 0, seed: -1 }, { temperature: 0, n: 2 }, { temperature: 0, logprobs: true, top_k: 5 }, { temperature: 0, samplers: ['temperature', 'top_k'] },
    { seed: 0 }, { seed: 4294967294 }, { seed: 7, temperature: 1.5, xtc_probability: 0.5, mirostat: 2 }, { temperature: 0, samplers: null, xtc_probability: null }
  ]) {
    t.ok(says(json, real), JSON.stringify(json))
    t.ok(says(json), `${JSON.stringify(json)} of a server that names no defaults`)
  }
})

t.test('drawn', async t => {
  for (const json of [
    {}, { temperature: null }, { temperature: '0' }, { temperature: 0.1 }, { temperature: false }, { top_k: 1 }, { seed: -1 }, { seed: 4294967295 }, { seed: 4294967296 + 4294967295 },
    { seed: 2 ** 53 }, { seed: 1.5 }, { seed: '7' }, { seed: null },
    { temperature: 0, samplers: ['top_k'] }, { temperature: 0, samplers: [] }, { temperature: 0, samplers: 'kt' }, { temperature: 0, samplers: [...usual, 'adaptive_p'] },
    { temperature: 0, dynatemp_range: 0.5 }, { temperature: 0, xtc_probability: 0.1 }, { temperature: 0, mirostat: 2 }, { temperature: 0, backend_sampling: true }
  ]) t.notOk(says(json, real), JSON.stringify(json))
})

t.test('where the body says nothing, what the server was started with counts', async t => {
  for (const set of [{ samplers: ['top_k'] }, { dynatemp_range: 1 }, { xtc_probability: 0.5 }, { mirostat: 1 }]) {
    t.notOk(says({ temperature: 0 }, { ...real, ...set }), JSON.stringify(set))
    t.ok(says({ temperature: 0, samplers: usual, dynatemp_range: 0, xtc_probability: 0, mirostat: 0 }, { ...real, ...set }), 'and the body goes before it')
  }
  t.notOk(says({}, { ...real, temperature: 0 }), 'a greedy server is no word of the caller')
})

t.test('a route that does not read the seed', async t => {
  t.notOk(says({ seed: 7 }, real, '/v1/messages'))
  t.ok(says({ temperature: 0 }, real, '/v1/messages'))
  t.notOk(says({ temperature: 0, dynatemp_range: 0 }, { ...real, dynatemp_range: 1 }, '/v1/messages'), 'nor other settings')
  for (const path of ['/completion', '/v1/completions', '/v1/responses', '/infill', '/chat/completions?x=1']) t.ok(says({ seed: 7 }, real, path), path)
})

t.test('a route whose settings stand elsewhere in its body', async t => {
  for (const path of ['/predict', '/api/chat', '/some/day']) {
    t.notOk(says({ temperature: 0, instances: [{ messages: [] }] }, real, path), path)
    t.notOk(says({ seed: 7 }, real, path), path)
  }
})

t.test('nothing is drawn for an embedding', async t => {
  t.ok(isDeterministic(makeCall({ route: 'slot-bound', path: '/v1/embeddings' }, { input: 'x' }), {}))
})

t.test('media that lie elsewhere', async t => {
  const part = (item: object): object => ({ messages: [{ role: 'user', content: [{ type: 'text', text: 'https://example.org' }, item] }] })
  t.notOk(refersElsewhere(part({ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } })))
  t.notOk(refersElsewhere({ tools: [{ function: { parameters: { properties: { url: { type: 'string' } } } } }] }))
  for (const item of [
    { type: 'image_url', image_url: { url: 'https://example.org/now.png' } },
    { type: 'image_url', image_url: { url: 'file:///tmp/now.png' } },
    { type: 'input_image', image_url: 'http://example.org/now.png' },
    { type: 'image', source: { type: 'url', url: 'https://example.org/now.png' } }
  ]) t.ok(refersElsewhere(part(item)), JSON.stringify(item))
})
