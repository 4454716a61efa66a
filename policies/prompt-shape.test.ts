import t from 'tap'
import { excessOf, promptShape } from './prompt-shape.js'
import { makeBody } from './testing.js'

type Json = Readonly<Record<string, unknown>>

const chat = '/v1/chat/completions'
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'xxxx' } }
const url = 'data:image/png;base64,xxxx'

t.test('characters, turns and images of a prompt', async t => {
  const cases: ReadonlyArray<readonly [what: string, path: string, json: Json, chars: number, turns: number, images: number]> = [
    ['text', chat, { messages: [{ role: 'system', content: 'abc' }, { role: 'developer', content: 'd' }, { role: 'user', content: 'ef' }] }, 6, 1, 0],
    ['parts', chat, { messages: [{ role: 'user', content: [{ type: 'text', text: 'ab' }, { type: 'image_url', image_url: { url } }, { type: 'input_audio', input_audio: { data: 'xx' } }] }] }, 2, 1, 1],
    ['tools', chat, { messages: [{ role: 'user', content: 'a' }], tools: [{ type: 'function', function: { name: 'fn', description: 'dd', parameters: { type: 'object' } } }] }, 5, 1, 0],
    ['tool calls', chat, { messages: [{ role: 'assistant', content: null, tool_calls: [{ id: '1', type: 'function', function: { name: 'fn', arguments: '{}' } }] }, { role: 'tool', tool_call_id: '1', content: 'r' }] }, 5, 2, 0],
    ['Anthropic', '/v1/messages', {
      system: [{ type: 'text', text: 'abc' }],
      messages: [
        { role: 'user', content: [image, { type: 'text', text: 'd' }] },
        { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'fn', input: { q: 'ee' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [image, { type: 'text', text: 'f' }] }] }
      ]
    }, 9, 3, 2],
    ['Responses', '/v1/responses', {
      instructions: 'ab',
      input: [
        { role: 'user', content: [{ type: 'input_text', text: 'c' }, { type: 'input_image', image_url: url }] },
        { type: 'function_call', call_id: 'c1', name: 'fn', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'dd' }
      ]
    }, 9, 3, 1],
    ['Responses in one text', '/v1/responses', { input: 'abc' }, 3, 0, 0],
    ['one text', '/v1/completions', { prompt: 'abc', stop: ['xxxx'], grammar: 'xxxx' }, 3, 0, 0],
    ['the longest of several', '/v1/completions', { prompt: ['a', 'bcd', 'ef'] }, 3, 0, 0],
    ['token ids have no characters', '/completion', { prompt: [1, 2, 3] }, 0, 0, 0],
    ['text and token ids', '/completion', { prompt: ['ab', 1, 'c'] }, 3, 0, 0],
    ['media beside a text', '/completion', { prompt: { prompt_string: 'ab', multimodal_data: ['xxxx', 'xxxx'] } }, 2, 0, 2],
    ['the longest text of several, the images of all', '/completion', { prompt: [{ prompt_string: 'a', multimodal_data: ['xxxxxxxxxxxx'] }, { prompt_string: 'bc', multimodal_data: ['x'] }] }, 2, 0, 2],
    ['embeddings', '/v1/embeddings', { input: ['a', 'bb'] }, 2, 0, 0],
    ['a query and the longest document', '/v1/rerank', { query: 'q', documents: ['aa', 'bbb'] }, 4, 0, 0],
    ['infill', '/infill', { input_prefix: 'a', input_suffix: 'b', input_extra: [{ filename: 'c', text: 'd' }] }, 4, 0, 0],
    ['beyond the first plane', '/completion', { prompt: '😀' }, 2, 0, 0],
    ['nothing', chat, {}, 0, 0, 0]
  ]
  for (const [what, path, json, chars, turns, images] of cases) t.same(promptShape({ path, body: makeBody(json) }), { chars, turns, images }, what)
})

t.test('a prompt may be nested as deep as its client likes', async t => {
  let content: unknown = 'a'
  for (let depth = 0; depth < 100_000; depth++) content = [content]
  t.equal(promptShape({ path: chat, body: { bytes: Buffer.alloc(0), json: { messages: [{ role: 'user', content }] }, withJson: makeBody } }).chars, 1)
})

t.test('the first cap that is exceeded; without a cap nobody looks', async t => {
  const cap = (value: number) => ({ value, option: 'o' })
  const shape = { chars: 10, turns: 5, images: 1 }
  t.same(excessOf({ maxPromptChars: cap(9), maxTurns: cap(4), maxImages: cap(0) }, () => shape), { cap: cap(4), what: 'turns', count: 5 })
  t.same(excessOf({ maxPromptChars: cap(9), maxTurns: cap(5), maxImages: cap(0) }, () => shape), { cap: cap(0), what: 'images', count: 1 })
  t.same(excessOf({ maxPromptChars: cap(9), maxTurns: cap(5) }, () => shape), { cap: cap(9), what: 'chars', count: 10 })
  t.equal(excessOf({ maxPromptChars: cap(10), maxTurns: cap(5), maxImages: cap(1) }, () => shape), undefined)
  t.equal(excessOf({ maxPromptTokens: cap(1) }, () => t.fail('looked') as never), undefined)
})
