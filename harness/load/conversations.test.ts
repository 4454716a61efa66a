import t, { type Test } from 'tap'
import type { ServerResponse } from 'node:http'
import { nowMs } from '../clock.js'
import type { CallSample, Conversations } from '../types.js'
import { openChatClient } from './client.js'
import { runConversations } from './conversations.js'
import { EVENT_STREAM, startStubServer, wholeAnswer } from './stub-server.js'

interface Message { readonly role: string, readonly content: string }

const spec: Conversations = { count: 2, turns: 3, systemWords: 2, firstWords: 5, turnWords: 3, answerTokens: 2, thinkSeconds: 0.002, thinkSpread: 0.5, related: true }

/** Talks until so many calls were made. */
async function talk (t: Test, calls: number, given: Partial<Conversations> = {}, answer = (response: ServerResponse): void => { response.end(wholeAnswer(2)) }) {
  const samples: CallSample[] = []
  const stop = new AbortController()
  const stub = await startStubServer(response => {
    response.writeHead(200, EVENT_STREAM)
    answer(response)
  })
  const client = openChatClient({ url: stub.url })
  t.teardown(async () => {
    await client.close()
    await stub.close()
  })
  const onSample = (sample: CallSample): void => {
    samples.push(sample)
    if (samples.length >= calls) stop.abort()
  }
  await runConversations({ ...spec, ...given, client, cls: 'turn', seed: 7, untilMs: nowMs() + 60_000, drainUntilMs: nowMs() + 60_000, onSample, signal: stop.signal })
  const prompts = new Map(stub.requests.map(({ body }) => [JSON.stringify(body['messages']), body['messages'] as Message[]]))
  return { samples: samples.slice(0, calls), requests: stub.requests, prompts: [...prompts.values()] }
}

t.test('each turn is sent with all of what was said, answers included; who has had its turns begins anew', async t => {
  const { samples, requests } = await talk(t, 8, { count: 1 })
  t.same(samples.map(({ conversation, turn }) => [conversation, turn]), [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [2, 0], [2, 1]])
  const messages = requests.map(({ body }) => body['messages'] as Message[])
  t.same(messages[2]?.map(({ role }) => role), ['system', 'user', 'assistant', 'user', 'assistant', 'user'])
  t.same(messages[2]?.slice(0, 4), messages[1])
  t.equal(messages[2]?.[2]?.content, ' word word', 'what was answered')
  t.same(messages[2]?.filter(({ role }) => role === 'user').map(({ content }) => content.split(' ').length), [5, 3, 3])
  t.equal(messages[3]?.length, 2)
  t.same(messages[3]?.[0], messages[0]?.[0], 'the instructions are common to all')
  t.not(messages[3]?.[1]?.content, messages[0]?.[1]?.content)
  t.match(requests[0]?.body, { cache_prompt: true, max_tokens: 2, ignore_eos: true, stream: true })
})

t.test('unrelated prompts are as long, and have nothing in common', async t => {
  const { requests } = await talk(t, 3, { count: 1, related: false, systemWords: 0 })
  const messages = requests.slice(0, 3).map(({ body }) => body['messages'] as Message[])
  t.same(messages.map(({ length }) => length), [1, 1, 1])
  t.same(messages.map(([message]) => message?.content.split(' ').length), [5, 10, 15])
  t.equal(new Set(messages.map(([message]) => message?.content.split(' ').slice(0, 3).join(' '))).size, 3)
})

t.test('conversations of their own, at once', async t => {
  const { samples, prompts } = await talk(t, 6)
  t.same([...new Set(samples.map(({ conversation = -1 }) => conversation % 2))].sort(), [0, 1])
  t.equal(new Set(prompts.filter(({ length }) => length === 2).map(([, first]) => first?.content)).size >= 2, true)
})

t.test('after an answer that did not come whole another conversation begins', async t => {
  const { samples } = await talk(t, 4, { count: 1 }, response => { response.destroy() })
  t.same(samples.map(({ turn }) => turn), [0, 0, 0, 0])
})
