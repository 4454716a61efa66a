import t from 'tap'
import { promptText } from './prompt-text.js'

const user = (content: unknown) => ({ role: 'user', content })

t.test('a conversation that goes on begins with all of what it was', async t => {
  const messages = [{ role: 'system', content: 'be kind' }, user('one')]
  const longer = [...messages, { role: 'assistant', content: 'an answer' }, user('two')]
  const cases: ReadonlyArray<readonly [path: string, before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>]> = [
    ['/v1/chat/completions', { messages, max_tokens: 3 }, { stream: true, messages: longer }],
    ['/v1/responses', { instructions: 'a', input: messages }, { input: longer, instructions: 'a' }],
    ['/completion', { prompt: 'one two' }, { prompt: 'one two three' }],
    ['/completion', { prompt: [1, 22, 3] }, { prompt: [1, 22, 3, 4] }],
    ['/v1/chat/completions', { tools: [{ type: 'function' }], messages }, { messages: longer, tools: [{ type: 'function' }] }]
  ]
  for (const [path, before, after] of cases) {
    const text = promptText(path, before) ?? t.fail('no text') as never
    t.ok(promptText(path, after)?.startsWith(text), JSON.stringify(before))
    t.ok(text.length > 5)
  }
})

t.test('what differs in the prompt differs in the text', async t => {
  const chat = (json: object) => promptText('/v1/chat/completions', { messages: [user('one')], ...json })
  t.not(chat({}), chat({ tools: [1] }))
  t.not(chat({}), chat({ messages: [user('on')] }))
  t.equal(chat({}), chat({ temperature: 1, id_slot: 3 }))
})

t.test('where nothing is known of the prompt', async t => {
  const cases: ReadonlyArray<readonly [path: string, json: Readonly<Record<string, unknown>>]> = [
    ['/v1/embeddings', { input: 'a' }],
    ['/v1/rerank', { query: 'a', documents: ['b'] }],
    ['/v1/chat/completions', {}],
    ['/v1/chat/completions', { messages: [user([{ type: 'text', text: 'what is this' }, { type: 'image_url', image_url: { url: 'data:' } }])] }],
    ['/v1/chat/completions', { messages: [user([{ type: 'input_audio', input_audio: {} }])] }],
    ['/completion', { prompt: 'a', multimodal_data: ['x'] }]
  ]
  for (const [path, json] of cases) t.equal(promptText(path, json), undefined, JSON.stringify(json))
  t.type(promptText('/v1/chat/completions', { messages: [user([{ type: 'text', text: 'what is this' }])] }), 'string')
})
