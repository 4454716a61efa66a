import t from 'tap'
import { createChain } from './chain.js'
import type { Backend } from './backend-port.js'
import type { Answer, Call } from './contract.js'
import { promptCap } from './prompt-cap.js'
import type { PromptCapOptions } from './prompt-cap-options.js'
import { sizeOf } from './prompt-shape.js'
import { heldUpstream, makeCall, makePort, settle } from './testing.js'

type Json = Readonly<Record<string, unknown>>

/** A backend whose prompts have a token for each four characters, and four for each message. */
function setUp (options: PromptCapOptions) {
  const port = makePort()
  const upstream = heldUpstream()
  const counted: Json[] = []
  const backend: Backend = {
    ...port.backend,
    countTokens: async ({ body: { json } }) => {
      if (port.tokens instanceof Error) throw port.tokens
      counted.push(json)
      const messages = Array.isArray(json['messages']) ? json['messages'] : []
      return messages.reduce((sum: number, message) => sum + 4 + Math.ceil(sizeOf(message).chars / 4), 0)
    }
  }
  const policy = promptCap.create(options, { ...port, backend })
  const chain = createChain([{ name: promptCap.name, run: policy.run }], call => {
    const answer = upstream.handler(call)
    upstream.calls.at(-1)?.answer()
    return answer
  }, port.clock)
  return { port, upstream, policy, chain, counted }
}

function messageOf (answer: Answer): string {
  return String(Reflect.get(Object(Reflect.get(Object(JSON.parse(String(answer.body))), 'error')), 'message'))
}

const user = (content: unknown): object => ({ role: 'user', content })
const chat = (messages: readonly object[]): Json => ({ messages, max_tokens: 5 })

/** 7 characters of instructions, four turns of 96 characters and 32 tokens each, and a last one of 3. */
const system = { role: 'system', content: 'be kind' }
const turns = ['a', 'b', 'c', 'd'].map(name => [user(name.repeat(80)), { role: 'assistant', content: name.repeat(16) }])
const conversation = chat([system, ...turns.flat(), user('now')])

t.test('what can be seen of a prompt is refused without a count, with the value, the cap and the option', async t => {
  const image = user([{ type: 'image_url', image_url: { url: 'data:' } }])
  const cases: ReadonlyArray<readonly [what: string, options: PromptCapOptions, given: Partial<Call>, json: Json, message: RegExp, facts: object]> = [
    ['turns', { maxTurns: 8 }, {}, conversation, /^The prompt has 9 messages besides system and developer messages; at most 8 are allowed \(prompt-cap\.maxTurns\)\. Leave out the oldest\.$/, { turns: 9, maxTurns: 8 }],
    ['images', { maxImages: 0 }, {}, chat([image]), /^The prompt has 1 image; at most 0 are allowed \(prompt-cap\.maxImages\)/, { images: 1, maxImages: 0 }],
    ['characters', { maxPromptChars: 393 }, {}, conversation, /^The prompt has 394 characters; at most 393 are allowed \(prompt-cap\.maxPromptChars\)/, { promptChars: 394, maxPromptChars: 393 }],
    ['a route\'s', { maxPromptChars: 9, perRoute: { '/v1/embeddings': { maxPromptChars: 3 } } }, { path: '/v1/embeddings', route: 'slot-bound' }, { input: ['a', 'abcd'] }, /^The prompt has 4 characters; at most 3 are allowed \(prompt-cap\.perRoute\["\/v1\/embeddings"\]\.maxPromptChars\)/, {}],
    ['a caller\'s', { maxTurns: 10, perCaller: { ann: { maxTurns: 8 } } }, { caller: 'ann' }, conversation, /at most 8 are allowed \(prompt-cap\.perCaller\["ann"\]\.maxTurns\)/, {}],
    ['truncating what is no conversation', { maxPromptChars: 3, whenTooLong: 'truncate' }, { path: '/completion' }, { prompt: 'abcd' }, /^The prompt has 4 characters; at most 3/, {}],
    ['truncating in vain', { maxPromptChars: 9, whenTooLong: 'truncate' }, {}, conversation, /^The prompt has 10 characters without its oldest 4 turns; at most 9/, { promptChars: 10 }]
  ]
  for (const [what, options, given, json, message, facts] of cases) {
    const { chain, counted, upstream, policy } = setUp(options)
    const call = makeCall(given, json)
    const answer = await chain(call)
    t.match(answer, { status: 400, reason: 'prompt-cap', headers: { 'x-weir-reason': 'prompt-cap' } }, what)
    t.match(messageOf(answer), message, what)
    t.match(call.decisions, [{ verdict: 'refuse', reason: 'prompt-cap', facts }], what)
    t.same([counted.length, upstream.calls.length, policy.gauges()['refused']], [0, 0, 1], what)
  }
})

t.test('what is within its caps goes on as it came', async t => {
  for (const options of [{ maxTurns: 9, maxImages: 0, maxPromptChars: 394 }, { maxTurns: 1, perCaller: { test: { maxTurns: 9 } } }, { maxTurns: 9, whenTooLong: 'truncate' }] as const) {
    const { chain, upstream } = setUp(options)
    const call = makeCall({}, conversation)
    const { body } = call
    const answer = await chain(call)
    t.equal(answer.status, 200)
    t.notOk('x-weir-truncated' in answer.headers)
    t.equal(upstream.calls[0]?.call.body, body)
    t.match(call.decisions, [{ verdict: 'pass', reason: 'bounded' }])
  }
})

t.test('a refusal by tokens names its option, too', async t => {
  const { chain } = setUp({ maxPromptTokens: 138 })
  t.match(messageOf(await chain(makeCall({}, conversation))), /^The prompt has 139 tokens; at most 138 are allowed \(prompt-cap\.maxPromptTokens\)\. Shorten it\.$/)
  const context = setUp({ minOutputTokens: 2_000 })
  t.match(messageOf(await context.chain(makeCall({}, conversation))), /at most 48 are allowed \(a slot's context of 2048 less prompt-cap\.minOutputTokens\)/)
})

t.test('truncating drops whole oldest turns until every cap holds, and says so', async t => {
  const cases: ReadonlyArray<readonly [options: PromptCapOptions, dropped: number, tokens: number | undefined, counts: number]> = [
    [{ maxTurns: 5 }, 2, undefined, 0],
    [{ maxPromptChars: 300 }, 1, undefined, 0],
    [{ maxPromptTokens: 80 }, 2, 75, 2],
    [{ maxPromptTokens: 138 }, 1, 107, 2],
    [{ maxTurns: 7, maxPromptTokens: 80 }, 2, 75, 2],
    [{ maxTurns: 5, maxPromptTokens: 80 }, 2, 75, 1],
    [{ maxPromptTokens: 11 }, 4, 11, 2],
    [{ minOutputTokens: 2_000 }, 3, 43, 2]
  ]
  for (const [options, dropped, tokens, counts] of cases) {
    const { chain, upstream, counted, policy } = setUp({ ...options, whenTooLong: 'truncate' })
    const call = makeCall({}, conversation)
    const what = JSON.stringify(options)
    const answer = await chain(call)
    t.same([answer.status, answer.headers['x-weir-truncated']], [200, `turns=${dropped}`], what)
    t.same(upstream.calls[0]?.call.body.json, chat([system, ...turns.slice(dropped).flat(), user('now')]), what)
    t.match(call.decisions, [{ verdict: 'change', reason: 'truncated', facts: { droppedTurns: dropped } }], what)
    t.equal(call.decisions[0]?.facts['promptTokens'], tokens, what)
    t.equal(call.need.promptTokens, tokens, what)
    t.equal(counted.length, counts, what)
    t.match(policy.gauges(), { truncated: 1, refused: 0 }, what)
  }
})

t.test('images go with their turns', async t => {
  const { chain, upstream } = setUp({ maxImages: 1, whenTooLong: 'truncate' })
  const [first, second] = ['a', 'b'].map(text => user([{ type: 'text', text }, { type: 'image_url', image_url: { url: 'data:' } }]))
  await chain(makeCall({}, chat([first!, second!])))
  t.same(upstream.calls[0]?.call.body.json, chat([second!]))
})

t.test('when not even the last turn fits, the prompt is refused', async t => {
  const { chain, upstream, counted } = setUp({ maxPromptTokens: 10, whenTooLong: 'truncate' })
  const call = makeCall({}, conversation)
  const answer = await chain(call)
  t.match(messageOf(answer), /^The prompt has 11 tokens without its oldest 4 turns; at most 10 are allowed \(prompt-cap\.maxPromptTokens\)/)
  t.match(call.decisions, [{ verdict: 'refuse', facts: { promptTokens: 11, maxPromptTokens: 10 } }])
  t.same([counted.length, upstream.calls.length], [2, 0])
})

t.test('a tool\'s result is not parted from its call, on the other routes neither', async t => {
  const call = { type: 'function_call', call_id: '1', name: 'f', arguments: '{}' }
  const use = { role: 'assistant', content: [{ type: 'tool_use', id: '1', name: 'f', input: {} }] }
  const used = user([{ type: 'tool_result', tool_use_id: '1', content: 'r' }])
  const cases: ReadonlyArray<readonly [path: string, json: Json, expected: Json]> = [
    ['/v1/responses', { instructions: 's', input: [user('a'), call, { type: 'function_call_output', call_id: '1', output: 'r' }, user('b')], max_output_tokens: 5 }, { instructions: 's', input: [user('b')], max_output_tokens: 5 }],
    ['/v1/messages', { system: 's', messages: [user('a'), use, used, user('b')], max_tokens: 5 }, { system: 's', messages: [user('b')], max_tokens: 5 }],
    ['/v1/messages', { messages: [user('a'), user('b'), use, used], max_tokens: 5 }, { messages: [user('b'), use, used], max_tokens: 5 }]
  ]
  for (const [path, json, expected] of cases) {
    const { chain, upstream } = setUp({ maxTurns: 3, whenTooLong: 'truncate' })
    const answer = await chain(makeCall({ path }, json))
    t.equal(answer.headers['x-weir-truncated'], 'turns=1', path)
    t.same(upstream.calls[0]?.call.body.json, expected, path)
  }
})

t.test('a backend that does not count holds nothing up: what can be seen is truncated all the same', async t => {
  const { chain, port, upstream } = setUp({ maxTurns: 5, maxPromptTokens: 80, whenTooLong: 'truncate', maxTokens: 3 })
  port.tokens = new Error('connect ECONNREFUSED')
  const call = makeCall({}, conversation)
  t.equal((await chain(call)).headers['x-weir-truncated'], 'turns=2')
  t.match(call.decisions, [{ verdict: 'change', reason: 'truncated, output bounded', facts: { droppedTurns: 2, maxTokens: 3 } }])
  t.same(upstream.calls[0]?.call.body.json, { messages: [system, ...turns.slice(2).flat(), user('now')], max_tokens: 3 })
  t.equal(port.warnings.length, 1)
})

t.test('the time that an answer may take goes on with the call; what ran away is counted', async t => {
  const { chain, upstream, policy } = setUp({ maxOutputSeconds: 60, perCaller: { ann: { maxOutputSeconds: 0.5 } } })
  await chain(makeCall({}, conversation))
  t.same(upstream.calls[0]?.call.need.maxOutputTime, { ms: 60_000, option: 'prompt-cap.maxOutputSeconds' })
  await chain(makeCall({ caller: 'ann', headers: new Map([['content-type', 'multipart/form-data']]), path: '/v1/audio/transcriptions' }, {}))
  t.same(upstream.calls[1]?.call.need.maxOutputTime, { ms: 500, option: 'prompt-cap.perCaller["ann"].maxOutputSeconds' })
  await chain(makeCall({ path: '/v1/embeddings', route: 'slot-bound' }, { input: 'a' }))
  t.notOk('maxOutputTime' in Object(upstream.calls[2]?.call.need), 'nothing is generated')
  upstream.calls[0]?.end({ how: 'cut', reason: 'idle-timeout' })
  upstream.calls[1]?.end({ how: 'cut', reason: 'runaway' })
  upstream.calls[2]?.end()
  await settle()
  t.match(policy.gauges(), { runaway: 1 })
})
