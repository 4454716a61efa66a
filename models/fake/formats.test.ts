import t, { type Test } from 'tap'
import { startFakeServer, TEMPLATE_TOKENS_PER_CHAT, TEMPLATE_TOKENS_PER_MESSAGE, type FakeOptions } from './fake-server.js'
import { Exchange } from './testing-client.js'

/** What the formats are is settled by real-server.test.ts; this is about the numbers and words in them. */
async function start (t: Test, options: FakeOptions = {}) {
  const fake = await startFakeServer({ manual: true, prefillMsPerToken: 2, decodeMsPerToken: 5, ...options })
  t.teardown(() => fake.close())
  return async (path: string, body: unknown) => {
    const exchange = new Exchange(fake.url + path, body)
    const received = fake.stats.received
    await fake.waitFor(stats => stats.received > received)
    while (fake.step()) { /* all at once: the fake's time is not the wall clock's */ }
    return exchange
  }
}

const messages = [{ role: 'user', content: 'one two three' }]

t.test('timings and usage follow from the speed that was asked for', async t => {
  const ask = await start(t)
  const promptTokens = 3 + TEMPLATE_TOKENS_PER_MESSAGE + TEMPLATE_TOKENS_PER_CHAT
  const first = await ask('/v1/chat/completions', { messages, max_tokens: 4 })
  t.match(await first.json(), {
    usage: { prompt_tokens: promptTokens, completion_tokens: 4, total_tokens: promptTokens + 4, prompt_tokens_details: { cached_tokens: 0 } },
    timings: {
      cache_n: 0,
      prompt_n: promptTokens,
      prompt_ms: 2 * promptTokens,
      prompt_per_token_ms: 2,
      prompt_per_second: 500,
      predicted_n: 4,
      predicted_ms: 15,
      predicted_per_token_ms: 5,
      predicted_per_second: 200
    }
  })
  const again = await ask('/v1/chat/completions', { messages, max_tokens: 1 })
  t.match(await again.json(), { timings: { cache_n: promptTokens - 1, prompt_n: 1, predicted_ms: 0 } })
})

t.test('counting without a slot gives the number that the call is charged', async t => {
  const ask = await start(t)
  const prompt: unknown = await (await ask('/apply-template', { messages })).json()
  t.match(prompt, { prompt: '<|user|>\none two three\n<|assistant|>\n' })
  const tokens = await (await ask('/tokenize', { content: '<|user|>\none two three\n<|assistant|>\n', add_special: true })).json()
  t.match(tokens, { tokens: { length: 6 } })
  t.match(await (await ask('/v1/chat/completions/input_tokens', { messages })).json(), { input_tokens: 6 })
  t.match(await (await ask('/v1/messages/count_tokens', { messages })).json(), { input_tokens: 6 })
  t.match(await (await ask('/v1/messages/count_tokens', { messages, system: 'be kind' })).json(), { input_tokens: 9 })
  t.match(await (await ask('/v1/responses/input_tokens', { input: messages, instructions: 'be kind' })).json(), { input_tokens: 9 })
  t.match(await (await ask('/v1/chat/completions', { messages })).json(), { usage: { prompt_tokens: 6 } })
})

t.test('an answer ends by its limit, by itself, or by the context', async t => {
  const ask = await start(t, { answerTokens: 3, slotContextTokens: 20 })
  const reasons = async (more: object) => {
    const stream = await ask('/v1/chat/completions', { messages, stream: true, ...more })
    const events = await stream.events()
    const content = stream.text.match(/"content":"/g)?.length
    t.equal(events.at(-1), '[DONE]')
    return [content, /"finish_reason":"(\w+)"/.exec(stream.text)?.[1]]
  }
  t.strictSame(await reasons({ max_tokens: 2 }), [2, 'length'])
  t.strictSame(await reasons({ max_completion_tokens: 9 }), [3, 'stop'])
  t.strictSame(await reasons({ max_tokens: 9, ignore_eos: true }), [9, 'length'])
  t.strictSame(await reasons({ ignore_eos: true }), [14, 'length'])
})

t.test('the text tells which prompt and seed it answers', async t => {
  const ask = await start(t)
  const words = async (prompt: string, seed?: number) => {
    const answer: unknown = await (await ask('/v1/completions', { prompt, max_tokens: 3, ...(seed === undefined ? {} : { seed }) })).json()
    return JSON.stringify(answer).replace(/.*"text":"([^"]*)".*/, '$1')
  }
  const text = await words('a b')
  t.match(text, /^[0-9a-f]{8} w1 w2$/)
  t.equal(await words('a b'), text)
  t.not(await words('a c'), text)
  t.not(await words('a b', 7), text)
})

t.test('an array of prompts is a task each, answered in order', async t => {
  const ask = await start(t, { slots: 2 })
  const many = await (await ask('/completion', { prompt: ['a b', 'c', 'd e f'], n_predict: 1 })).json()
  t.match(many, [{ index: 0, tokens_evaluated: 3 }, { index: 1, tokens_evaluated: 2 }, { index: 2, tokens_evaluated: 4 }])
  const ids = await (await ask('/completion', { prompt: [1, 300, 301], n_predict: 1 })).json()
  t.match(ids, { index: 0, tokens_evaluated: 3 }, 'an array of numbers is one prompt')
  const embeddings = await (await ask('/v1/embeddings', { input: ['a', 'b', 'c'] })).json()
  t.match(embeddings, { data: [{ index: 0 }, { index: 1 }, { index: 2 }] })
})
