import t from 'tap'
import { createChain } from './chain.js'
import type { Call } from './contract.js'
import { promptCap } from './prompt-cap.js'
import type { PromptCapOptions } from './prompt-cap-options.js'
import { heldUpstream, makeCall, makePort, settle } from './testing.js'

function setUp (options: PromptCapOptions = { maxPromptTokens: 100_000 }) {
  const port = makePort()
  const upstream = heldUpstream()
  const policy = promptCap.create(options, port)
  const chain = createChain([{ name: promptCap.name, run: policy.run }], call => {
    const answer = upstream.handler(call)
    upstream.calls.at(-1)?.complete()
    return answer
  }, port.clock)
  const chat = (content: unknown, more: Record<string, unknown> = {}): Call => makeCall({}, { messages: [{ role: 'user', content }], max_tokens: 5, ...more })
  return { port, upstream, policy, chain, chat }
}

const LONG = 'word '.repeat(1_000)

t.test('a short prompt is not counted: its bytes are a bound', async t => {
  const { port, chain, chat, policy } = setUp()
  const call = chat('hi')
  t.equal((await chain(call)).status, 200)
  t.equal(port.counted, 0)
  t.match(call.decisions, [{ verdict: 'pass', reason: 'bounded' }])
  t.match(policy.gauges(), { bounded: 1, counted: 0 })
})

t.test('a prompt that might be too long is counted once, whatever its sampling', async t => {
  const { port, chain, chat } = setUp()
  port.tokens = 1_500
  const call = chat(LONG)
  t.equal((await chain(call)).status, 200)
  t.match(call.decisions, [{ verdict: 'pass', reason: 'counted', facts: { promptTokens: 1_500 } }])
  t.equal(call.need.promptTokens, 1_500)
  await chain(chat(LONG, { temperature: 0.1, seed: 7, stream: true }))
  t.equal(port.counted, 1)
  await chain(chat(LONG, { unknown_field: 1 }))
  t.equal(port.counted, 2, 'what is not known to be harmless is counted again')
  await chain(chat(LONG + '!'))
  t.equal(port.counted, 3)
})

t.test('a prompt that cannot fit is refused with llama-server\'s own error', async t => {
  const { port, chain, chat, upstream, policy } = setUp({})
  for (const [tokens, status] of [[2_047, 200], [2_048, 400]] as const) {
    port.tokens = tokens
    const call = chat(LONG + tokens)
    t.equal((await chain(call)).status, status, `${tokens} of 2,048`)
  }
  const call = chat(LONG + 2_048)
  const answer = await chain(call)
  t.match(answer, { reason: 'prompt-cap', headers: { 'x-weir-reason': 'prompt-cap' } })
  t.notOk('retry-after' in answer.headers)
  t.match(JSON.parse(String(answer.body)), { error: { code: 400, type: 'exceed_context_size_error', n_prompt_tokens: 2_048, n_ctx: 2_048 } })
  t.match(call.decisions, [{ verdict: 'refuse', reason: 'prompt-cap', facts: { promptTokens: 2_048, maxPromptTokens: 2_047 } }])
  t.equal(upstream.calls.length, 1)
  t.match(policy.gauges(), { refused: 2 })
})

t.test('room for the answer counts, and the smaller of cap and context wins', async t => {
  const room = setUp({ minOutputTokens: 100 })
  room.port.tokens = 1_949
  t.equal((await room.chain(room.chat(LONG))).status, 400)
  const cap = setUp({ maxPromptTokens: 300 })
  cap.port.tokens = 301
  const answer = await cap.chain(cap.chat(LONG))
  t.match(JSON.parse(String(answer.body)), { error: { n_prompt_tokens: 301, n_ctx: 300 } })
})

t.test('tools, images and audio have no bound in bytes', async t => {
  const { port, chain, chat } = setUp()
  await chain(chat('hi', { tools: [{}] }))
  await chain(chat([{ type: 'image_url', image_url: { url: 'http://127.0.0.1/x.png' } }]))
  t.equal(port.counted, 2)
  await chain(chat([{ type: 'text', text: 'hi' }]))
  t.equal(port.counted, 2)
})

t.test('when the backend cannot count, the call passes uncounted', async t => {
  const { port, chain, chat } = setUp({})
  port.tokens = new Error('connect ECONNREFUSED')
  const call = chat(LONG)
  t.equal((await chain(call)).status, 200)
  t.match(call.decisions, [{ verdict: 'pass', reason: 'uncounted' }])
  t.equal(port.warnings.length, 1)
  port.tokens = 5
  await chain(chat(LONG))
  t.equal(port.counted, 2, 'a failure is not remembered')
})

t.test('while the backend loads there is no context to check against', async t => {
  const { port, chain, chat } = setUp({})
  port.props = undefined
  const call = chat(LONG)
  await chain(call)
  t.match(call.decisions, [{ reason: 'uncounted' }])
  t.equal(port.counted, 0)
})

t.test('a client that leaves during the count is a leave', async t => {
  const { port, chain, upstream } = setUp({})
  const call = makeCall({}, { messages: [{ role: 'user', content: LONG }], max_tokens: 5 })
  port.tokens = new Error('aborted')
  const answer = chain(call)
  call.leave()
  await t.rejects(answer)
  await settle()
  t.match(call.decisions, [{ verdict: 'leave' }])
  t.equal(upstream.calls.length, 0)
})

t.test('output is bounded on every route', async t => {
  for (const [path, json, expected] of [
    ['/v1/chat/completions', { messages: [] }, { max_tokens: 50 }],
    ['/v1/chat/completions', { messages: [], max_tokens: 51 }, { max_tokens: 50 }],
    ['/v1/chat/completions', { messages: [], max_tokens: -1 }, { max_tokens: 50 }],
    ['/v1/chat/completions', { messages: [], max_completion_tokens: 7 }, { max_completion_tokens: 7, max_tokens: 7 }],
    ['/v1/chat/completions', { messages: [], max_completion_tokens: 99 }, { max_completion_tokens: 50, max_tokens: 50 }],
    ['/completion', { prompt: 'x', n_predict: -1 }, { n_predict: 50 }],
    ['/completion', { prompt: 'x' }, { n_predict: 50 }],
    ['/v1/completions', { prompt: 'x' }, { max_tokens: 50 }],
    ['/v1/completions', { prompt: 'x', max_tokens: 'all' }, { max_tokens: 50 }],
    ['/v1/responses', { input: 'x' }, { max_output_tokens: 50 }],
    ['/v1/messages', { messages: [], max_tokens: 4_096 }, { max_tokens: 50 }],
    ['/infill', { input_prefix: 'x' }, { n_predict: 50 }]
  ] as const) {
    const { chain, upstream } = setUp({ maxTokens: 50 })
    const call = makeCall({ path }, json)
    await chain(call)
    t.same(upstream.calls[0]?.call.body.json, { ...json, ...expected }, `${path} ${JSON.stringify(json)}`)
    t.match(call.decisions, [{ verdict: 'change', reason: /output bounded$/, facts: { maxTokens: Number } }])
    t.ok(call.need.maxTokens <= 50)
  }
})

t.test('a bounded call goes on as the bytes the client sent', async t => {
  const { chain, chat, upstream } = setUp({ maxTokens: 50 })
  const call = chat('hi')
  const { body } = call
  await chain(call)
  t.equal(upstream.calls[0]?.call.body, body)
})

t.test('embeddings and multipart bodies get no output bound', async t => {
  const { chain, upstream } = setUp({})
  const embedding = makeCall({ path: '/v1/embeddings', route: 'slot-bound' }, { input: 'x' })
  const audio = makeCall({ path: '/v1/audio/transcriptions', headers: new Map([['content-type', 'multipart/form-data; boundary=x']]) }, {})
  await chain(embedding)
  await chain(audio)
  t.same(upstream.calls.map(held => held.call.body.json), [{ input: 'x' }, {}])
  t.match(audio.decisions, [{ verdict: 'pass', reason: 'uncounted' }])
})

t.test('of several prompts the longest must fit, not all of them together', async t => {
  const { port, chain } = setUp({})
  const many = makeCall({ path: '/v1/embeddings', route: 'slot-bound' }, { input: Array.from({ length: 100 }, () => 'word '.repeat(20)) })
  t.equal((await chain(many)).status, 200)
  t.equal(port.counted, 0)
  port.tokens = 5_000
  const oneLong = makeCall({ path: '/v1/embeddings', route: 'slot-bound' }, { input: ['short', LONG, 'short'] })
  t.equal((await chain(oneLong)).status, 400)
  const ids = makeCall({ path: '/completion' }, { prompt: [1, 2, 3], n_predict: 1 })
  t.equal((await chain(ids)).status, 200)
})

t.test('a body above maxBodyBytes is refused', async t => {
  const { chain, chat } = setUp({ maxBodyBytes: 100 })
  const answer = await chain(chat(LONG))
  t.match(answer, { status: 413, reason: 'body-too-large' })
  t.match(String(answer.body), /at most 100 are allowed/)
})
