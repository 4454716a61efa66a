import t, { type Test } from 'tap'
import { startFakeServer } from './fake/fake-server.js'
import { Exchange, type Seen } from './fake/testing-client.js'
import { shapeDifferences, type Allowance } from './fake/testing-shape.js'
import { ensureModel } from './ensure-model.js'
import { ensureServer } from './install/index.js'
import { startServer } from './start.js'

/**
 * The fake against the real llama-server. Where there is no llama-server this fails: formats nobody checked are no formats.
 */
const slots = 2
const slotContextTokens = 256

const binary = await ensureServer({ onProgress: text => t.comment(text) })
const model = await ensureModel('tiny', { onProgress: () => {} })

interface Pair<T> { readonly real: T, readonly fake: T }

async function startPair (t: Test, extraArgs: readonly string[] = []) {
  const logFolder = t.testdir()
  const real = await startServer({ binary, model, slots, slotContextTokens, threads: 1, batchTokens: 256, extraArgs, logPath: `${logFolder}/llama-server.log` })
  t.teardown(() => real.stop())
  const fake = await startFakeServer({ slots, slotContextTokens, apiKey: real.apiKey })
  t.teardown(() => fake.close())
  const withKey = { authorization: `Bearer ${real.apiKey}` }
  return async (path: string, body?: unknown, headers: Readonly<Record<string, string>> = withKey): Promise<Pair<Exchange>> => {
    const pair = { real: new Exchange(real.url + path, body, headers), fake: new Exchange(fake.url + path, body, headers) }
    await Promise.all([pair.real.body, pair.fake.body])
    return pair
  }
}

type Ask = Awaited<ReturnType<typeof startPair>>

async function sameJson (t: Pick<Test, 'equal' | 'strictSame'>, exchanges: Pair<Exchange>, allowances: readonly Allowance[] = []): Promise<Pair<unknown>> {
  const bodies = { real: await exchanges.real.json(), fake: await exchanges.fake.json() }
  t.strictSame(shapeDifferences(bodies.real, bodies.fake, allowances), [])
  await sameHead(t, exchanges)
  return bodies
}

async function sameHead (t: Pick<Test, 'equal' | 'strictSame'>, exchanges: Pair<Exchange>): Promise<Seen> {
  const [real, fake] = [await exchanges.real.head, await exchanges.fake.head]
  t.equal(fake.status, real.status, 'status')
  t.equal(fake.headers['content-type'], real.headers['content-type'], 'content type')
  t.equal(fake.headers.connection === 'close', real.headers.connection === 'close', 'whether the connection is closed')
  return real
}

/** A random model writes broken UTF-8, which llama-server holds back: this keeps it to letters, a token an event. */
const letters = { grammar: 'root ::= [a-z]+', ignore_eos: true, temperature: 0 }
const messages = [{ role: 'user', content: 'the of and' }]

t.test('chat completions', async t => {
  const ask = await startPair(t)
  const path = '/v1/chat/completions'
  await t.test('whole', async t => {
    const { real, fake } = await sameJson(t, await ask(path, { messages, max_tokens: 3, ...letters }))
    for (const answer of [real, fake]) t.match(answer, { choices: [{ finish_reason: 'length' }], usage: { completion_tokens: 3 }, timings: { predicted_n: 3 } })
  })
  await t.test('n choices', async t => {
    const { real, fake } = await sameJson(t, await ask(path, { messages, max_tokens: 3, n: 2, ...letters }))
    for (const answer of [real, fake]) t.match(answer, { choices: [{ index: 0 }, { index: 1 }], usage: { completion_tokens: 3 } })
  })
  await sameStream(t, ask, 'stream', path, { messages, max_tokens: 3, ...letters }, 6)
  await sameStream(t, ask, 'stream with usage', path, { messages, max_tokens: 3, stream_options: { include_usage: true }, ...letters }, 7)
  await sameStream(t, ask, 'stream with timings per token', path, { messages, max_tokens: 3, timings_per_token: true, ...letters }, 6)
})

t.test('completions', async t => {
  const ask = await startPair(t)
  const prompt = 'the of and'
  await t.test('/completion whole, also of many prompts', async t => {
    const { real, fake } = await sameJson(t, await ask('/completion', { prompt, n_predict: 3, ...letters }))
    for (const answer of [real, fake]) t.match(answer, { tokens_predicted: 3, stop_type: 'limit' })
    await sameJson(t, await ask('/completion', { prompt: [prompt, 'a'], n_predict: 1, ...letters }))
  })
  await t.test('/completion of the same prompt again: all but one token are reused', async t => {
    const { real, fake } = await sameJson(t, await ask('/completion', { prompt, n_predict: 3, ...letters }))
    for (const answer of [real, fake]) t.match(answer, { timings: { prompt_n: 1 } })
  })
  await t.test('n_predict 0 makes one token all the same', async t => {
    const { real, fake } = await sameJson(t, await ask('/completion', { prompt: [1, 300, 301], n_predict: 0 }))
    for (const answer of [real, fake]) t.match(answer, { tokens_predicted: 1, tokens_evaluated: 3 })
  })
  await sameStream(t, ask, '/completion stream', '/completion', { prompt, n_predict: 3, ...letters }, 4)
  await t.test('/v1/completions', async t => {
    await sameJson(t, await ask('/v1/completions', { prompt, max_tokens: 3, ...letters }))
  })
  await sameStream(t, ask, '/v1/completions stream', '/v1/completions', { prompt, max_tokens: 3, ...letters }, 5)
})

async function sameStream (t: Pick<Test, 'test'>, ask: Ask, name: string, path: string, body: object, expectedEvents: number) {
  await t.test(name, async t => {
    const exchanges = await ask(path, { ...body, stream: true })
    await sameHead(t, exchanges)
    const [real, fake] = [await exchanges.real.events(), await exchanges.fake.events()]
    t.equal(real.length, expectedEvents, 'events of the real one')
    t.equal(fake.length, expectedEvents, 'events of the fake')
    for (const [index, event] of real.entries()) t.strictSame(shapeDifferences(event, fake[index]), [], `event ${index}`)
    t.equal(fake.at(-1) === '[DONE]', real.at(-1) === '[DONE]')
    t.strictSame(names(exchanges.fake), names(exchanges.real), 'event names')
  })
}

function names (exchange: Exchange): string[] {
  return exchange.text.split('\n').filter(line => line.startsWith('event: '))
}

t.test('responses and messages', async t => {
  const ask = await startPair(t)
  await t.test('/v1/responses', async t => {
    await sameJson(t, await ask('/v1/responses', { input: 'the of', max_output_tokens: 2, ...letters }))
  })
  await sameStream(t, ask, '/v1/responses stream', '/v1/responses', { input: messages, max_output_tokens: 2, ...letters }, 10)
  await t.test('/v1/messages', async t => {
    const { real, fake } = await sameJson(t, await ask('/v1/messages', { messages, max_tokens: 2, ...letters }))
    for (const answer of [real, fake]) t.match(answer, { stop_reason: 'max_tokens' })
  })
  await sameStream(t, ask, '/v1/messages stream', '/v1/messages', { messages, max_tokens: 2, ...letters }, 7)
})

t.test('what needs no slot', async t => {
  const ask = await startPair(t)
  const builds = 'the list of sampling settings and templates depends on the build and the model'
  await t.test('before any call', async t => {
    await sameJson(t, await ask('/slots'))
  })
  await t.test('health, models and props', async t => {
    await sameJson(t, await ask('/health', undefined, {}))
    await sameJson(t, await ask('/v1/health', undefined, {}))
    await sameJson(t, await ask('/v1/models'))
    await sameJson(t, await ask('/models'))
    const { real, fake } = await sameJson(t, await ask('/props'), [
      { path: 'default_generation_settings.params', because: builds },
      { path: 'chat_template_caps', because: builds }
    ])
    for (const props of [real, fake]) t.match(props, { total_slots: slots, default_generation_settings: { n_ctx: slotContextTokens }, build_info: /^b\d+/ })
  })
  await t.test('tokens and templates', async t => {
    await sameJson(t, await ask('/tokenize', { content: 'the of' }))
    await sameJson(t, await ask('/tokenize', { content: 'the of', with_pieces: true, add_special: true }))
    await sameJson(t, await ask('/detokenize', { tokens: [300, 301] }))
    await sameJson(t, await ask('/apply-template', { messages }))
    await sameJson(t, await ask('/v1/chat/completions/input_tokens', { messages }))
    await sameJson(t, await ask('/v1/messages/count_tokens', { messages }))
  })
  await t.test('slots and metrics after a call', async t => {
    await ask('/completion', { prompt: 'the of', n_predict: 1, ...letters })
    await sameJson(t, await ask('/slots'))
    const metrics = await ask('/metrics')
    await sameHead(t, metrics)
    const types = (exchange: Exchange) => exchange.text.split('\n').filter(line => line.startsWith('# TYPE')).toSorted()
    t.ok(types(metrics.real).length > 5)
    t.strictSame(types(metrics.fake), types(metrics.real))
  })
})

t.test('errors', async t => {
  const ask = await startPair(t)
  const long = 'the '.repeat(3000)
  const cases: ReadonlyArray<readonly [name: string, status: number, path: string, body?: unknown, headers?: Readonly<Record<string, string>>]> = [
    ['no key', 401, '/v1/models', undefined, {}],
    ['a wrong key', 401, '/v1/chat/completions', { messages }, { authorization: 'Bearer wrong' }],
    ['no such route', 404, '/nope'],
    ['the wrong method', 404, '/v1/chat/completions'],
    ['not JSON', 400, '/v1/chat/completions', '{bad'],
    ['not JSON', 400, '/tokenize', '{bad'],
    ['no messages', 400, '/v1/chat/completions', {}],
    ['messages of a wrong type', 400, '/v1/chat/completions', { messages: 'x' }],
    ['no input', 400, '/v1/responses', {}],
    ['input of a wrong type', 400, '/v1/responses', { input: 3 }],
    ['no messages, which it calls its own error', 500, '/v1/messages', {}],
    ['no prompt', 400, '/completion', {}],
    ['more choices than slots', 400, '/v1/chat/completions', { messages, n: 3 }],
    ['too long', 400, '/completion', { prompt: long }],
    ['too long, as a stream', 400, '/v1/chat/completions', { messages: [{ role: 'user', content: long }], stream: true }]
  ]
  for (const [name, status, path, body, headers] of cases) {
    await t.test(`${status} ${path}: ${name}`, async t => {
      const exchanges = await ask(path, body, headers)
      const { real, fake } = await sameJson(t, exchanges)
      t.equal((await exchanges.real.head).status, status)
      t.match(fake, { error: { code: status } })
      t.strictSame(comparable(fake), comparable(real))
    })
  }
})

/** An error's words without its numbers and without a parser's details. */
function comparable (body: unknown): string {
  return JSON.stringify(body, Object.keys({ error: 0, code: 0, message: 0, type: 0 })).replaceAll(/\d+/g, 'N').replace(/parse error[^"]*.*",/, 'parse error",')
}

t.test('the shared KV pool is full: 500, or the last event of a stream, in the words that the gateway knows', async t => {
  const real = await startServer({ binary, model, slots, slotContextTokens: 512, threads: 1, batchTokens: 2048, extraArgs: ['--kv-unified'], logPath: `${t.testdir()}/llama-server.log` })
  t.teardown(() => real.stop())
  const fake = await startFakeServer({ slots })
  t.teardown(() => fake.close())
  // Each of them fits into the pool of 1024 tokens alone, and no two of them: both run until it is full, and then both fail.
  const content = 'the '.repeat(350)
  const calls: ReadonlyArray<readonly [path: string, body: object]> = [
    ['/v1/chat/completions', { messages: [{ role: 'user', content }], max_tokens: 500 }],
    ['/completion', { prompt: content, n_predict: 500 }],
    ['/v1/messages', { messages: [{ role: 'user', content }], max_tokens: 500 }],
    ['/v1/responses', { input: [{ role: 'user', content }], max_output_tokens: 500 }]
  ]
  for (const [path, body] of calls) {
    await t.test(path, async t => {
      const two = [false, true].map(stream => new Exchange(real.url + path, { ...body, stream, cache_prompt: false, ...letters }, { authorization: `Bearer ${real.apiKey}` }))
      await Promise.all(two.map(exchange => exchange.body))
      for (const [index, stream] of [false, true].entries()) {
        await fake.fail({ kind: 'kv-full', ...(stream ? { afterEvents: 0 } : {}) })
        const exchanges = { real: two[index] as Exchange, fake: new Exchange(fake.url + path, { ...body, stream }) }
        await exchanges.fake.body
        await sameHead(t, exchanges)
        t.equal(lastBlock(exchanges.fake), lastBlock(exchanges.real))
        t.match(lastBlock(exchanges.real), /"message":"Context size has been exceeded\."/)
      }
    })
  }
})

/** The body, or of a stream the last event with all its lines. */
function lastBlock (exchange: Exchange): string | undefined {
  return exchange.text.trimEnd().split('\n\n').at(-1)
}

t.test('embeddings', async t => {
  const ask = await startPair(t, ['--embeddings', '--pooling', 'mean'])
  await sameJson(t, await ask('/embedding', { content: 'the of' }))
  const { real, fake } = await sameJson(t, await ask('/v1/embeddings', { input: ['the', 'of a'] }))
  for (const answer of [real, fake]) t.match(answer, { data: [{ index: 0 }, { index: 1 }] })
  await sameJson(t, await ask('/v1/embeddings', {}))
})

t.test('reranking', async t => {
  const ask = await startPair(t, ['--reranking'])
  const { real, fake } = await sameJson(t, await ask('/rerank', { query: 'a', documents: ['the', 'of'] }))
  for (const answer of [real, fake]) t.match(answer, { results: { length: 2 } })
})
