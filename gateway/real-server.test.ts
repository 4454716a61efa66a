import t from 'tap'
import { TurnClock } from './testing-clock.js'
import { startTestGateway } from './testing.js'
import { startGatewayCli, startRealServer, temporaryFolder } from './testing-real.js'

/** The one file of `npm test` in which gateway and llama-server are both real. */
t.test('text, usage and finish_reason are those of a direct call, streamed or not', async t => {
  const server = await startRealServer(t, { slots: 1 })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  for (const stream of [false, true]) {
    const body = JSON.stringify({ messages: [{ role: 'user', content: 'The quick brown fox' }], max_tokens: 24, temperature: 0, cache_prompt: false, ignore_eos: true, stream, ...(stream ? { stream_options: { include_usage: true } } : {}) })
    const ask = async (url: string): Promise<Response> => await fetch(`${url}/v1/chat/completions`, { method: 'POST', body, headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` } })
    const [direct, through] = [await ask(server.url), await ask(gateway.url)]
    t.equal(through.status, 200)
    t.equal(through.headers.get('content-type'), direct.headers.get('content-type'))
    t.ok(through.headers.get('x-weir-id'))
    t.match(through.headers.get('server-timing'), /queue;dur=/)
    t.strictSame(essence(await through.text()), essence(await direct.text()), stream ? 'streamed' : 'whole')
  }
})

t.test('a stream of every generation route is recorded as complete: the gateway knows its end, also behind a last event that is longer than what it keeps', async t => {
  const server = await startRealServer(t, { slots: 1, slotContextTokens: 2048 })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  const content = 'the of and '.repeat(600)
  const messages = [{ role: 'user', content: 'the of and' }]
  const fixed = { ignore_eos: true, temperature: 0, grammar: 'root ::= [a-z]+', stream: true }
  const cases: ReadonlyArray<readonly [path: string, body: object, end: RegExp]> = [
    ['/v1/chat/completions', { messages, max_tokens: 3 }, /\n\ndata: \[DONE\]\n\n$/],
    ['/v1/completions', { prompt: 'the of', max_tokens: 3 }, /\n\ndata: \[DONE\]\n\n$/],
    ['/completion', { prompt: 'the of', n_predict: 3 }, /"stop":true/],
    ['/completion', { prompt: content.slice(0, 6000), n_predict: 3 }, /"stop":true.{4096,}\n\n$/],
    ['/v1/messages', { messages, max_tokens: 3 }, /\n\nevent: message_stop\ndata: \{"type":"message_stop"\}\n\n$/],
    ['/v1/responses', { input: messages, max_output_tokens: 3 }, /\n\nevent: response\.completed\ndata: .*\n\n$/],
    // As JSON each of these characters takes six.
    ['/v1/responses', { input: messages, max_output_tokens: 900, grammar: 'root ::= [\\x01]+' }, /\n\nevent: response\.completed\ndata: .{4096,}\n\n$/]
  ]
  for (const [path, body, end] of cases) {
    const answer = await fetch(gateway.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...fixed, ...body }) })
    t.equal(answer.status, 200, path)
    t.match(await answer.text(), end, path)
  }
  // llama-server refuses /infill where the model has no tokens for it, before any stream.
  const infill = await fetch(`${gateway.url}/infill`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...fixed, input_prefix: 'a', input_suffix: 'b', n_predict: 3 }) })
  t.notMatch(infill.headers.get('content-type'), /event-stream/)
  t.match(await infill.json(), { error: { message: /infill/i } })
  await gateway.stop()
  const records = gateway.records()
  t.same(records.map(({ outcome }) => outcome), records.map(() => 'complete'))
  t.equal(records.length, cases.length + 1)
})

t.test('what a prompt counts before it waits is what llama-server then makes of it, with system prompts and tools, on every API', async t => {
  const server = await startRealServer(t, { slots: 1 })
  const gateway = await startTestGateway({ upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, config: { policies: [{ name: 'prompt-cap', maxPromptTokens: 150 }] } })
  t.teardown(() => gateway.stop())
  const user = { role: 'user', content: 'the of and' }
  const system = 'be very kind to everybody who asks'
  const cases: ReadonlyArray<readonly [path: string, body: object]> = [
    ['/v1/chat/completions', { messages: [{ role: 'system', content: system }, user, { role: 'assistant', content: null, tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{}' } }] }, { role: 'tool', tool_call_id: '1', content: 'result' }] }],
    ['/v1/messages', { system, messages: [user, { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: {} }] }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: '1', content: 'result' }] }] }],
    ['/v1/responses', { instructions: system, input: [user, { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' }, { type: 'function_call_output', call_id: '1', output: 'result' }] }],
    ['/v1/completions', { prompt: 'the of and '.repeat(25) }]
  ]
  for (const [path, body] of cases) {
    const answer = await fetch(gateway.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, max_tokens: 1, max_output_tokens: 1, cache_prompt: false }) })
    t.equal(answer.status, 200, path)
    await answer.text()
  }
  await gateway.recorded(cases.length)
  for (const { path, decisions, promptTokens } of gateway.records) {
    t.ok(Number(promptTokens) > 10, path)
    t.equal(decisions[0]?.facts['promptTokens'], promptTokens, path)
  }
})

t.test('llama-server takes the slot that it is told', async t => {
  const server = await startRealServer(t, { slots: 3 })
  const gateway = await startTestGateway({ upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, clock: new TurnClock(), config: { policies: [{ name: 'admission', slotChoice: 'by-length' }] } })
  t.teardown(() => gateway.stop())
  const ask = async (path: string, body: object): Promise<unknown> => {
    const answer = await fetch(gateway.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...body, max_tokens: 2, n_predict: 2 }) })
    t.equal(answer.status, 200, path)
    return await answer.json()
  }
  const lastTasks = async (): Promise<readonly unknown[]> => {
    const slots: unknown = await (await fetch(`${server.url}/slots`, { headers: { authorization: `Bearer ${server.apiKey}` } })).json()
    return Array.isArray(slots) ? slots.map((slot: unknown) => Reflect.get(Object(slot), 'id_task')) : []
  }
  t.match(await ask('/completion', { prompt: 'the of' }), { id_slot: 0 })
  t.match(await ask('/completion', { prompt: 'the of and '.repeat(100) }), { id_slot: 2 })
  for (const [path, body] of [
    ['/v1/chat/completions', { messages: [{ role: 'user', content: 'one '.repeat(200) }] }],
    ['/v1/completions', { prompt: 'two '.repeat(200) }],
    ['/v1/responses', { input: 'three '.repeat(200) }]
  ] as const) {
    const before = await lastTasks()
    await ask(path, body)
    t.same((await lastTasks()).map((task, slot) => task !== before[slot]), [false, false, true], `${path} in the highest slot, where llama-server would have taken the one that was used least lately`)
  }
  await gateway.recorded(5)
  t.same(gateway.records.map(({ decisions }) => decisions[0]?.facts['slot']), [0, 2, 2, 2, 2])
})

t.test('more conversations than slots take turns: a choice by prefix finds what it predicted, and more than llama-server\'s own', async t => {
  const found: Record<string, number> = {}
  for (const slotChoice of ['server', 'prefix']) {
    const server = await startRealServer(t, { slots: 2, slotContextTokens: 2048 })
    const gateway = await startTestGateway({ upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, clock: new TurnClock(), config: { policies: [{ name: 'admission', slotChoice }] } })
    t.teardown(() => gateway.stop())
    const talks = ['red', 'green', 'blue', 'white'].map(word => [{ role: 'user', content: `${word} `.repeat(40) }])
    for (let turn = 0; turn < 8; turn++) {
      for (const messages of talks) {
        const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ messages, max_tokens: 5, temperature: 0, ignore_eos: true, stream: false }) })
        const { choices } = await answer.json() as Completion
        messages.push({ role: 'assistant', content: choices[0]?.message?.content ?? '' }, { role: 'user', content: `and ${turn} more` })
        // Turns come at a pace, or nothing could be learned of when they come back.
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    }
    await gateway.recorded(32)
    found[slotChoice] = gateway.records.reduce((sum, { cachedTokens = 0 }) => sum + cachedTokens, 0)
    if (slotChoice === 'server') continue
    const predicted = gateway.records.flatMap(({ decisions, cachedTokens = 0 }) => {
      const tokens = decisions[0]?.facts['predictedCachedTokens']
      return tokens === undefined ? [] : [{ tokens, cachedTokens }]
    })
    t.ok(predicted.length > 20, `${predicted.length} predictions`)
    t.same(predicted.filter(({ tokens, cachedTokens }) => tokens > 50 && cachedTokens < tokens - 1), [], 'at least what was predicted is found')
    t.ok(predicted.some(({ tokens }) => tokens > 50))
    t.ok(gateway.records.every(({ decisions }) => decisions[0]?.facts['slot'] !== undefined), 'every call was told its slot')
    t.same(gateway.warnings, [])
  }
  t.comment(`prompt tokens found in the cache: ${found['server']} by llama-server's choice, ${found['prefix']} by prefix`)
  t.ok((found['prefix'] ?? 0) > 2 * (found['server'] ?? 0))
})

t.test('a conversation that lost its slot to another one finds its prompt again, from a file', async t => {
  const server = await startRealServer(t, { slots: 1, slotContextTokens: 2048, extraArgs: ['--slot-save-path', `${temporaryFolder(t)}/`] })
  const gateway = await startTestGateway({
    upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, config: { policies: [{ name: 'admission', slotChoice: 'prefix', slotFiles: { count: 2, minTokens: 20 } }] }
  })
  t.teardown(() => gateway.stop())
  for (const end of ['', ' and more', ' and on']) {
    for (const word of ['red', 'green']) {
      const answer = await fetch(`${gateway.url}/completion`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ prompt: `${word} `.repeat(60) + end, n_predict: 2, ignore_eos: true }) })
      t.equal(answer.status, 200)
      await answer.text()
    }
  }
  await gateway.recorded(6)
  t.match(gateway.gateway.admissionGauges(), { slotExchangeFailures: 0, slotFilesOff: 0, slotRestores: 4 })
  for (const { cachedTokens = 0, promptTokens = Infinity } of gateway.records.slice(2)) t.ok(cachedTokens > 0.8 * promptTokens, `${cachedTokens} of ${promptTokens} tokens`)
  t.same(gateway.warnings, [])
})

t.test('a long prompt that is fed in chunks: its call finds all of them in the cache, on every route, and says what it would have said whole', async t => {
  // Batches of 32 tokens cut a prompt at the same places in chunks and whole. Elsewhere floats are summed in another order, and now and then that is another token.
  const server = await startRealServer(t, { slots: 2, slotContextTokens: 2048, batchTokens: 32 })
  const gateway = await startTestGateway({ upstream: server.url, apiKey: server.apiKey, pollIntervalMs: 2_000, config: { policies: [{ name: 'admission', preemptiblePrefill: { chunkMs: 0.5 } }] } })
  t.teardown(() => gateway.stop())
  const content = Array.from({ length: 300 }, (_, i) => ['the', 'quick', 'brown', 'fox', 'jumps'][(i * i) % 5]).join(' ')
  const messages = [{ role: 'system', content: 'be <s>kind</s>' }, { role: 'user', content: `${content} ä 你好 🙂` }]
  const fixed = { temperature: 0, ignore_eos: true, max_tokens: 16, n_predict: 16 }
  const cases: ReadonlyArray<readonly [path: string, body: object]> = [
    ['/v1/chat/completions', { messages }],
    ['/v1/chat/completions', { messages: [...messages, { role: 'assistant', content: 'so I' }], stream: true }],
    ['/v1/chat/completions', { messages, tools: [{ type: 'function', function: { name: 'f', description: 'does f', parameters: { type: 'object', properties: {} } } }] }],
    ['/v1/completions', { prompt: `${content} and` }],
    ['/completion', { prompt: `${content} or` }]
  ]
  const textOf = (answer: string): string => [...answer.matchAll(/"(?:content|text)":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).join('')
  for (const [path, body] of cases) {
    const ask = async (url: string, more: object): Promise<string> => {
      const answer = await fetch(url + path, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${server.apiKey}` }, body: JSON.stringify({ ...fixed, ...body, ...more }) })
      t.equal(answer.status, 200, path)
      return await answer.text()
    }
    const direct = textOf(await ask(server.url, { cache_prompt: false, id_slot: 0 }))
    t.ok(direct.length > 0, path)
    // llama-server repeats the prompt in an answer of /completion, after what was generated.
    t.equal(textOf(await ask(gateway.url, {})).slice(0, direct.length), direct, path)
  }
  await gateway.recorded(cases.length)
  t.equal(gateway.warnings.length, 0, gateway.warnings.join())
  for (const { path, timings, decisions, promptTokens } of gateway.records) {
    const { chunks = 0, fedTokens = 0 } = decisions[0]?.facts ?? {}
    t.ok(chunks >= 2, `${path}: ${decisions[0]?.reason}, ${chunks} chunks`)
    t.equal(timings?.cache_n, fedTokens, path)
    t.ok(fedTokens > (promptTokens ?? Infinity) / 2, path)
  }
  t.match(gateway.gateway.policyGauges()[0]?.gauges, { prefillOff: 0, missedCalls: 0 })
})

interface Choice { readonly message?: { readonly content: string }, readonly delta?: { readonly content?: string | null }, readonly finish_reason: string | null }
interface Completion { readonly choices: readonly Choice[], readonly usage?: unknown }

/** What a client reads; not ids, times and speeds. */
function essence (text: string): { readonly content: string, readonly finish: readonly string[], readonly usage: unknown, readonly done: boolean } {
  const events = text.startsWith('data: ')
    ? text.split('\n\n').filter(part => part.startsWith('data: {')).map(part => JSON.parse(part.slice(6)) as Completion)
    : [JSON.parse(text) as Completion]
  const choices = events.flatMap(event => event.choices)
  const content = choices.map(choice => choice.message?.content ?? choice.delta?.content ?? '').join('')
  if (content === '') throw new Error(`no content in ${text}`)
  return {
    content,
    finish: choices.flatMap(choice => choice.finish_reason ?? []),
    usage: events.findLast(event => event.usage != null)?.usage,
    done: text.endsWith('data: [DONE]\n\n')
  }
}

t.test('the next call is sent while the last token of the one before is on its way, on every route', async t => {
  const server = await startRealServer(t, { slots: 1 })
  const gateway = await startGatewayCli(t, ['--upstream', server.url], { LLAMA_API_KEY: server.apiKey })
  const fixed = { ignore_eos: true, temperature: 0, cache_prompt: false, grammar: 'root ::= [a-z]+', stream: true }
  const messages = [{ role: 'user', content: 'the of and' }]
  const routes: ReadonlyArray<readonly [path: string, body: object]> = [
    ['/v1/chat/completions', { messages, max_tokens: 160 }],
    ['/v1/completions', { prompt: 'the of', max_tokens: 160 }],
    ['/completion', { prompt: 'the of', n_predict: 160 }],
    ['/v1/messages', { messages, max_tokens: 160 }],
    ['/v1/responses', { input: messages, max_output_tokens: 160 }]
  ]
  for (const [path, body] of routes) {
    const answers = await Promise.all([1, 2, 3].map(async () => {
      const answer = await fetch(gateway.url + path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ ...fixed, ...body }) })
      return [answer.status, (await answer.text()).length > 0]
    }))
    t.same(answers, [1, 2, 3].map(() => [200, true]), path)
  }
  await gateway.stop()
  const records = gateway.records()
  for (const [path] of routes) {
    const own = records.filter(record => record.path === path).sort((a, b) => (a.admittedAtMs ?? 0) - (b.admittedAtMs ?? 0))
    t.same(own.map(({ outcome, outputTokens }) => [outcome, outputTokens]), own.map(() => ['complete', 160]), path)
    t.same(own.map(({ decisions }) => decisions.find(({ policy }) => policy === 'admission')?.facts['overlaps'] ?? 0), [0, 1, 1], `${path}: which of them met a last token`)
    t.ok(own.every(({ admittedAtMs = 0 }, index) => index === 0 || admittedAtMs < (own[index - 1]?.overAtMs ?? 0)), `${path}: sent before the end of the one before`)
  }
})
