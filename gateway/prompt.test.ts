import t from 'tap'
import { makeCall } from '../policies/testing.js'
import { countRouteOf, promptsOf } from './prompt.js'

t.test('the prompts of a call', async t => {
  const rendered: unknown[] = []
  const applyTemplate = async (json: unknown): Promise<string> => {
    rendered.push(json)
    return '<rendered>'
  }
  const messages = [{ role: 'user', content: 'a' }]
  const cases: ReadonlyArray<readonly [what: string, json: Record<string, unknown>, prompts: ReadonlyArray<string | number>]> = [
    ['messages', { messages }, ['<rendered>']],
    ['a text', { prompt: 'a' }, ['a']],
    ['several texts', { prompt: ['a', 'b'] }, ['a', 'b']],
    ['token ids', { prompt: [1, 2, 3] }, [3]],
    ['several lists of token ids', { prompt: [[1, 2], [3]] }, [2, 1]],
    ['texts and token ids mixed in one prompt', { prompt: [['a', 1, 'b']] }, ['a 1 b']],
    ['nothing', { prompt: [] }, [0]],
    ['an object', { prompt: { prompt_string: 'a', multimodal_data: ['…'] } }, ['a']],
    ['infill', { input_prefix: 'a', input_suffix: 'b', input_extra: [{ text: 'c' }] }, ['abc']],
    ['rerank', { query: 'q', documents: ['a', { text: 'b' }] }, ['qa', 'qb']],
    ['an embedding', { input: 'a' }, ['a']],
    ['an embedding in llama-server\'s word', { content: 'a' }, ['a']]
  ]
  for (const [what, json, prompts] of cases) t.same(await promptsOf(makeCall({}, json), applyTemplate), prompts, what)
  t.same(rendered, [{ messages }])
  await t.rejects(promptsOf(makeCall({ path: '/v1/audio/transcriptions' }, {}), applyTemplate), /prompt of \/v1\/audio\/transcriptions cannot be counted/)
})

t.test('the routes that llama-server counts itself', async t => {
  for (const [path, route] of [['/v1/messages?beta=true', '/v1/messages/count_tokens'], ['/responses', '/v1/responses/input_tokens'], ['/v1/chat/completions', undefined]] as const) {
    t.equal(countRouteOf(path), route, path)
  }
})
