import t from 'tap'
import { makeCall } from './testing.js'
import { wholeBecause } from './whole-prompt.js'

t.test('which prompts cannot be fed in chunks, and why', async t => {
  const text = [{ role: 'user', content: 'hello' }]
  const cases: ReadonlyArray<readonly [path: string, json: Record<string, unknown>, reason: ReturnType<typeof wholeBecause>]> = [
    ['/v1/chat/completions', { messages: text }, undefined],
    ['/chat/completions?x=1', { messages: [{ role: 'user', content: [{ type: 'text', text: 'hello' }] }], cache_prompt: true, id_slot: -1 }, undefined],
    ['/v1/chat/completions', { messages: [{ role: 'user', content: [{ type: 'text', text: 'what is this' }, { type: 'image_url', image_url: { url: 'data:' } }] }] }, 'media'],
    ['/v1/chat/completions', { messages: text, n: 2 }, 'several prompts'],
    ['/v1/chat/completions', { messages: text, cache_prompt: false }, 'cache_prompt: false'],
    ['/v1/chat/completions', { messages: text, id_slot: 0 }, 'id_slot of its own'],
    ['/v1/chat/completions', { messages: text, lora: [{ id: 0, scale: 0.5 }] }, 'lora'],
    ['/completion', { prompt: 'hello' }, undefined],
    ['/completions', { prompt: [1, 2, 3] }, undefined],
    ['/v1/completions', { prompt: 'hello' }, undefined],
    ['/v1/completions', { prompt: ['hello', 'you'] }, 'several prompts'],
    ['/completion', { prompt: [1, 'hello', 3] }, 'prompt of mixed parts'],
    ['/completion', { prompt: { prompt_string: 'what is <__media__>', multimodal_data: ['…'] } }, 'prompt of mixed parts'],
    ['/v1/messages', { messages: text }, 'route'],
    ['/v1/responses', { input: 'hello' }, 'route'],
    ['/infill', { input_prefix: 'a', input_suffix: 'b' }, 'route'],
    ['/v1/embeddings', { input: 'hello' }, 'route']
  ]
  for (const [path, json, reason] of cases) t.equal(wholeBecause(makeCall({ path }, json)), reason, `${path} ${JSON.stringify(json)}`)
})
